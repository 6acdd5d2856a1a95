/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuProblem: why Box refuses something: the HTTP status, Box's code and a message. Functions of
 * the model take one, and fill it when they return FALSE or NULL.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint status; /* 0: no problem */
  const char *code;
  char *message;
  JsonObject *context; /* context_info, or NULL */
} EmuProblem;

void emu_problem_clear (EmuProblem *problem);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EmuProblem, emu_problem_clear)

/* @code is a literal. Always FALSE, to be returned. */
gboolean emu_problem_set (EmuProblem *problem, guint status, const char *code, const char *format,
                          ...) G_GNUC_PRINTF (4, 5);

/* 409 session_conflict; takes @session, the description of the one that is there. Always FALSE. */
gboolean emu_problem_set_conflict (EmuProblem *problem, JsonObject *session);

G_END_DECLS
