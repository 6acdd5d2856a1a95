/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxSpool: the directory of recordings that Box does not have yet. Knows the recordings, their
 * states and their total size; spool/recording.h has a single recording. Any number of processes
 * may share it.
 */
#pragma once

#include <gio/gio.h>

#include "spool/forecast.h"
#include "spool/recording.h"

G_BEGIN_DECLS

typedef struct _BoxSpool BoxSpool;

/* $XDG_STATE_HOME/boxupload/spool; free with g_free(). */
char *box_spool_default_path (void);

/**
 * box_spool_open:
 * @path: (nullable): the directory; NULL: the default one. Created with mode 0700 if it does not
 * exist.
 * @limit: maximum bytes of all its recordings together; 0: the size of the disk.
 *
 * BOX_ERROR_STORAGE if it cannot be made or written, or if others could write to it.
 */
BoxSpool *box_spool_open (const char *path, guint64 limit, GError **error);
BoxSpool *box_spool_ref (BoxSpool *spool);
void box_spool_unref (BoxSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSpool, box_spool_unref)

/* A new recording in it. BOX_ERROR_SPACE if the limit is reached already. */
BoxRecording *box_spool_record (BoxSpool *spool, const BoxRecordingIntent *intent, GError **error);

/* A journal of what is left to do for @file, without data (box_recording_create_errand()). */
BoxRecording *box_spool_note (BoxSpool *spool, const BoxRecordingIntent *intent,
                              const BoxFile *file, GError **error);

/* Its directory. */
const char *box_spool_get_path (const BoxSpool *spool);

/* " --spool-dir PATH", quoted for a shell: what the commands of boxupload that messages advise need
 * to find a recording of the directory @path. Also for the default one: who reads what a service
 * says has another default. Free with g_free(). */
char *box_spool_format_option (const char *path);

/* The same of the directory that the file @path of a recording is in; NULL for NULL. */
char *box_spool_format_option_for (const char *path);

/* Call this before @bytes are written to a recording: BOX_ERROR_SPACE if they would exceed the
 * limit. It counts bytes written by other processes, too (as of the last 16 MiB written here). */
gboolean box_spool_admit (BoxSpool *spool, guint64 bytes, GError **error);

/* Call this before a recording of @size bytes is written from @offset on, behind its end:
 * BOX_ERROR_SPACE if what it would leave out, which may be filled later, is more than there is room
 * for. */
gboolean box_spool_admit_hole (BoxSpool *spool, guint64 size, guint64 offset, GError **error);

/* Bytes that the recordings take now. */
guint64 box_spool_get_used (BoxSpool *spool);

/* Bytes that can still be recorded: by the limit and by the disk. It reads the directory. */
guint64 box_spool_get_room (BoxSpool *spool);

/* The forecast of its directory. Owned by @spool. */
BoxForecast *box_spool_get_forecast (BoxSpool *spool);

typedef enum
{
  BOX_SPOOL_BUSY,        /* a running process writes or uploads it */
  BOX_SPOOL_COMPLETE,    /* its stream has ended */
  BOX_SPOOL_INTERRUPTED, /* its writer died */
  BOX_SPOOL_COMMITTED,   /* Box has it; it can be removed */
  BOX_SPOOL_UNSETTLED,   /* Box has it; its metadata is missing there */
  BOX_SPOOL_KEPT,        /* Box has it; it was cut short, and stays */
  BOX_SPOOL_UNREADABLE,  /* its journal is missing or damaged, or its data missing; see problem */
} BoxSpoolStatus;

/* One recording, as it was when it was listed. */
typedef struct
{
  char *name;         /* of its files, without a suffix */
  char *journal_path; /* for box_recording_open() */
  char *data_path;
  BoxSpoolStatus status;
  guint64 size;           /* bytes of the data file */
  BoxJournalState *state; /* never NULL; all empty if UNREADABLE */
  char *problem;          /* UNREADABLE: why, else NULL */
} BoxSpoolEntry;

void box_spool_entry_free (BoxSpoolEntry *spooled);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSpoolEntry, box_spool_entry_free)

/* "in use", "complete", … */
const char *box_spool_status_to_string (BoxSpoolStatus status);

/* What to say of a recording of which @journal_path is there, and @data_path is not. Free with
 * g_free(). */
char *box_spool_describe_loss (const char *data_path, const char *journal_path);

/* (element-type BoxSpoolEntry): all recordings, oldest first; data without a journal as
 * UNREADABLE. */
GPtrArray *box_spool_list (BoxSpool *spool, GError **error);

/* (element-type filename): their names alone, oldest first: reads the directory, but no journal.
 * box_spool_look() may find that one is not a recording. */
GPtrArray *box_spool_list_names (BoxSpool *spool, GError **error);

/* The recording @name as box_spool_list() gives it; NULL: it is gone. */
BoxSpoolEntry *box_spool_look (BoxSpool *spool, const char *name);

/* Removes the recording @name in any state. Bytes that Box does not have are lost. BOX_ERROR_BUSY:
 * a running process has it. */
gboolean box_spool_remove (BoxSpool *spool, const char *name, GError **error);

/* Emits "changed" in the calling thread's main context when recordings come, go, or lose their
 * writer. Some file systems do not report this: look every half minute, too. */
GFileMonitor *box_spool_monitor (BoxSpool *spool, GError **error);

G_END_DECLS
