/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuProblem: why Box refuses something, and which of its forms the refusal takes. Functions of the
 * model take one, and fill it when they return FALSE or NULL.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  EMU_FORM_API,       /* {"type":"error","status",…} */
  EMU_FORM_UPLOAD,    /* of the upload service itself: {"code","message","request_id"} */
  EMU_FORM_CHALLENGE, /* no body, WWW-Authenticate */
} EmuForm;

typedef struct
{
  guint status; /* 0: no problem */
  EmuForm form;
  const char *code;
  char *message;     /* of a challenge: the header's value */
  JsonNode *context; /* context_info, or NULL */
} EmuProblem;

void emu_problem_clear (EmuProblem *problem);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EmuProblem, emu_problem_clear)

/* @code is a literal. These return FALSE, to be returned. */
gboolean emu_problem_set (EmuProblem *problem, guint status, const char *code, const char *format,
                          ...) G_GNUC_PRINTF (4, 5);
gboolean emu_problem_set_upload (EmuProblem *problem, guint status, const char *code,
                                 const char *format, ...) G_GNUC_PRINTF (4, 5);

/* @error NULL: the header names nothing but the realm. */
gboolean emu_problem_set_challenge (EmuProblem *problem, guint status, const char *error,
                                    const char *description);

/* 403 of a token that was downscoped to uploads. */
gboolean emu_problem_set_scope (EmuProblem *problem);

/* 404 not_found with context_info.errors: @name is the parameter that had @value: "item" for a
 * file, "folder", "parent". */
gboolean emu_problem_set_unknown (EmuProblem *problem, const char *name, const char *value);

/* 409 session_conflict; takes @session, the description of the one that is there. */
gboolean emu_problem_set_conflict (EmuProblem *problem, JsonObject *session);

/* Adds {"reason","name","message"} to context_info.errors. */
gboolean emu_problem_add_error (EmuProblem *problem, const char *reason, const char *name,
                                const char *message);

/* The context_info as an object, made if it is missing. */
JsonObject *emu_problem_get_context (EmuProblem *problem);

G_END_DECLS
