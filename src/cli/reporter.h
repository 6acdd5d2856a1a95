/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a command shows its uploads. CliReporter: the events of one upload, as JSON Lines, as lines
 * on stderr, or as the notice of a progress bar. CliProgress: the bars.
 */
#pragma once

#include "delivery/delivery.h"
#include "spool/note.h"

G_BEGIN_DECLS

/*
 * CliProgress: bars at the bottom of a terminal, one a line, drawn again as they progress.
 * Without a terminal nothing is drawn and no escape code is written. One thread.
 */

/**
 * CliProgressLine:
 * @label: for example a file's name; printable.
 * @done, @total: bytes.
 * @rate: bytes per second, 0: unknown.
 * @notice: (nullable): shown in place of rate and time left.
 */
typedef struct
{
  const char *label;
  guint64 done;
  guint64 total;
  guint64 rate;
  const char *notice;
} CliProgressLine;

/* One line of at most @columns columns: label, bar, percent, bytes, rate and time left, or as much
 * of that as fits. Pure. Free with g_free(). */
char *cli_progress_render (const CliProgressLine *line, guint columns, gboolean utf8);

typedef struct _CliProgress CliProgress;

/* Draws on @fd, if that is a terminal. */
CliProgress *cli_progress_new (int fd);

/* Clears the bars. */
void cli_progress_free (CliProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliProgress, cli_progress_free)

/* Whether there is a terminal. */
gboolean cli_progress_is_shown (CliProgress *progress);

/* Replaces the drawn lines by @n lines. */
void cli_progress_draw (CliProgress *progress, const CliProgressLine *lines, guint n);

/* Removes the bars, so that ordinary lines can be printed. */
void cli_progress_clear (CliProgress *progress);

/* Whether @fd is a terminal that understands cursor movement: not if TERM is "dumb" or missing.
 */
gboolean cli_terminal_is (int fd);

/* Its present number of columns, which can change; 80 if it is not known. */
guint cli_terminal_get_columns (int fd);

/* Whether the locale's character set can show block characters. */
gboolean cli_terminal_has_utf8 (void);

/*
 * CliReporter. Threads: the events come from the upload's workers; the owner calls everything else.
 */

typedef enum
{
  CLI_TELL_NOTHING, /* somebody shows the figures */
  CLI_TELL_TEXT,    /* repeated requests and outages, on stderr */
  CLI_TELL_JSON,    /* everything, on stdout */
} CliTell;

/* JSON if it is wanted, else the kind that fits @progress. */
CliTell cli_reporter_choose (gboolean json, CliProgress *progress);

typedef struct _CliReporter CliReporter;

/* @path: of the local file, in the file system's encoding. */
CliReporter *cli_reporter_new (const char *path, CliTell tell);
void cli_reporter_free (CliReporter *reporter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliReporter, cli_reporter_free)

/* Saves notes of opened sessions (spool/note.h) with @destination. Call it before the upload
 * begins. */
void cli_reporter_note_sessions (CliReporter *reporter, const BoxDestination *destination);

/* Keeps @receipt (taken) up to date, and frees it with the reporter. Call it before the upload
 * begins. */
void cli_reporter_set_receipt (CliReporter *reporter, BoxReceipt *receipt);

/* For a delivery, with a reporter as user data, which has to live until it is freed. */
extern const BoxUploadEvents cli_reporter_events;

/* Reports that an upload goes on with the session of an earlier run, or, after @reason, that the
 * file is uploaded from its beginning. */
void cli_reporter_tell_continued (CliReporter *reporter, const char *session_id);
void cli_reporter_tell_restart (CliReporter *reporter, const GError *reason);

/* A file that was followed has come to its end: @size bytes, of which @sent have left already. */
void cli_reporter_tell_finished (CliReporter *reporter, guint64 size, guint64 sent);

/* After its upload: @sent bytes had left before its end, @again of these were sent again. */
void cli_reporter_tell_ahead (CliReporter *reporter, const char *name, guint64 sent, guint64 again);

/* The path for people, printable; owned by @reporter. */
const char *cli_reporter_get_name (CliReporter *reporter);

/* The last session that was opened, or NULL; free with g_free(). */
char *cli_reporter_dup_session_id (CliReporter *reporter);

/* @stats as the line of a file of @size bytes. @notice: (out): what @line's notice is; free with
 * g_free(). */
void cli_reporter_get_progress (CliReporter *reporter, const BoxUploadStats *stats, guint64 size,
                                CliProgressLine *line, char **notice);

/* Prints @stats as a JSON line, if there is a session or something was sent. */
void cli_reporter_tell_progress (CliReporter *reporter, const BoxUploadStats *stats);

/* For BoxDeliveryEvents.goes_on: the bytes do not leave any more, but are recorded. */
void cli_reporter_goes_on (BoxDelivery *delivery, const GError *reason, gboolean matters,
                           gpointer reporter);

/* For BoxDeliveryEvents.kept: the stream has ended and is a recording in the spool. */
void cli_reporter_kept (const char *recording, guint64 size, const char *reason,
                        gboolean interrupted, const GError *lost, gpointer reporter);

/* A recording that was cut short. */
typedef struct
{
  gboolean may_not_play; /* its container needs its end */
  gboolean kept;         /* the recording stays in the spool */
} CliCut;

/* Print the end, as a JSON line or a line of text that begins with @name. */

/* Box has @file. @cut: (nullable): it was cut short. */
void cli_reporter_tell_file (CliReporter *reporter, const char *name, const BoxFile *file,
                             const CliCut *cut);
/* What is read may be too much for the account; see BoxDeliveryEvents. */
void cli_reporter_room (const char *text, guint64 limit, gpointer reporter);
/* Somebody has removed, moved or replaced the recording; see BoxDeliveryEvents. */
void cli_reporter_displaced (const char *text, gpointer reporter);
/* Box has the file, but not its metadata; @path: (nullable): in the spool, where that is noted. */
void cli_reporter_unsettled (const char *path, const GError *reason, gpointer reporter);

/* Box had @file already, with the same bytes. */
void cli_reporter_tell_skipped (CliReporter *reporter, const char *name, const BoxFile *file);
/* Another end that is not a failure: @event for machines, @text for people. */
void cli_reporter_tell_end (CliReporter *reporter, const char *name, const char *event,
                            const char *text);
/* @wait: seconds until the next attempt; 0: no other attempt. */
void cli_reporter_tell_failure (CliReporter *reporter, const char *name, const GError *error,
                                guint wait);

G_END_DECLS
