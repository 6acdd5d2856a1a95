/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuScenario: rules that say which requests go wrong, and how. docs/emulator.md describes their
 * JSON. Parsing and choosing are here, the doing is in routes/faults.c.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* When a rule strikes. */
typedef enum
{
  EMU_AT_HEAD,       /* the head was read, the body was not */
  EMU_AT_BODY,       /* so many bytes of the body were read */
  EMU_AT_END,        /* all of the request was read, nothing was done */
  EMU_AT_STORED,     /* it was done, nothing was answered */
  EMU_AT_REPLY_HEAD, /* so many bytes of the reply's head were sent */
  EMU_AT_REPLY,      /* so many bytes of the reply's body were sent */
} EmuStage;

/* When a request that was answered early is done after all. */
typedef enum
{
  EMU_LATER_NEVER,
  EMU_LATER_RELEASED, /* when its name is released */
  EMU_LATER_TIME,     /* after so many milliseconds */
  EMU_LATER_REQUESTS, /* after so many more requests, before the last of them is answered */
} EmuLater;

typedef enum
{
  EMU_DO_REPLY,
  EMU_DO_DELAY,
  EMU_DO_HOLD,
  EMU_DO_RESET,
  EMU_DO_CLOSE,
  EMU_DO_GARBAGE,
  EMU_DO_ENDLESS,
  EMU_DO_CHANGE,
  EMU_DO_INTERIM,
  EMU_DO_DRIP,
  EMU_DO_CONFLICT,
  EMU_DO_OTHERS,
  EMU_DO_FRONT,
  EMU_DO_IN_USE,
  EMU_DO_KEEP,
} EmuAction;

/* Immutable but for @seen; lives as long as its scenario. */
typedef struct
{
  /* which requests */
  char **routes; /* NULL: all */
  char *method;  /* NULL: any */
  GPatternSpec *path;
  char *token;
  gint64 offset; /* -1: any */
  gint64 part;   /* index, -1: any */

  /* which of them, counted from 1 */
  guint64 first;
  guint64 last;
  guint64 every;
  GArray *nth; /* of guint64, or NULL */

  /* what happens */
  EmuStage at;
  guint64 bytes;
  EmuAction action;
  const char *action_name; /* "do" of the rule */
  guint delay_ms;
  char *name; /* of a hold; NULL: nobody can release it */
  guint status;
  JsonObject *headers; /* or NULL */
  GBytes *body;        /* or NULL */
  gboolean is_json;
  JsonObject *change;
  JsonObject *others; /* what somebody else does */
  guint count;        /* of interim replies; 0: no end */
  gboolean linger;    /* after an early reply, read on for a moment */
  gboolean read_on;   /* after an early reply, read to the end of the request */

  /* whether the request is done all the same */
  EmuLater later;
  char *later_name;
  guint later_n;     /* ms or requests */
  char *later_route; /* of the requests that count; NULL: any */

  guint64 seen; /* with the scenario's lock */
} EmuRule;

/* The features of a request that rules match. */
typedef struct
{
  const char *route;
  const char *method;
  const char *path;
  const char *token;
  gint64 offset; /* -1: none */
  gint64 part;   /* -1: none */
} EmuMatch;

typedef struct _EmuScenario EmuScenario;

EmuScenario *emu_scenario_new (void);
void emu_scenario_free (EmuScenario *scenario);

gboolean emu_scenario_load (EmuScenario *scenario, const char *json, GError **error);
void emu_scenario_clear (EmuScenario *scenario);

/* Counts a request; the rules (EmuRule, owned by @scenario) that strike it, in their order. */
GPtrArray *emu_scenario_choose (EmuScenario *scenario, const EmuMatch *match);

/* The cancellable that releasing @name cancels; a new reference. */
GCancellable *emu_scenario_get_hold (EmuScenario *scenario, const char *name);
void emu_scenario_release (EmuScenario *scenario, const char *name);

/* A request is being held, and a test wants to know. */
void emu_scenario_note_held (EmuScenario *scenario, const char *name);
gboolean emu_scenario_wait_held (EmuScenario *scenario, const char *name, guint timeout_ms);

G_END_DECLS
