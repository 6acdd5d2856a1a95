/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of BoxJournal share: the form of a line (spool/journal.c), how it is read
 * (spool/replay.c), and the records about parts that left before the size of the file was known
 * (spool/journal-ahead.c). A line is a JSON object whose last member is "check": the first 8
 * hexadecimal digits of the SHA-1 of everything before the comma in front of it.
 */
#pragma once

#include "spool/journal.h"

G_BEGIN_DECLS

#define BOX_JOURNAL_VERSION 1

/* Of a journal that an earlier version would misunderstand: it has a path of folders, or metadata.
 */
#define BOX_JOURNAL_VERSION_PATH 2

#define CHECK_DIGITS 8
#define CHECK_PREFIX ",\"check\":\""
#define CHECK_SUFFIX "\"}"
#define CHECK_LENGTH (sizeof CHECK_PREFIX - 1 + CHECK_DIGITS + sizeof CHECK_SUFFIX - 1)

/* By the values of their enums. */
extern const char *const box_journal_sizing_names[3];
extern const char *const box_journal_if_exists_names[3];
extern const char *const box_journal_padding_names[6];

/* The digits for @length bytes of @text. */
void box_journal_check_of (const char *text, gsize length, char digits[CHECK_DIGITS + 1]);

/* --- spool/journal.c --- */

/* A record of this kind, without other members. */
JsonObject *box_journal_new_record (const char *kind);

/* The line with its checksum and newline. Takes @object. */
char *box_journal_to_line (JsonObject *object);

/* The members that say what @session is, and what @part of it. */
void box_journal_write_session (JsonObject *object, const BoxSession *session, guint64 size);
void box_journal_write_part (JsonObject *object, const char *session_id, const BoxPart *part);

/* --- spool/replay.c --- */

/* NULL: it makes no sense, or is another session's. */
BoxSession *box_journal_read_session (JsonObject *object, guint64 *size);
BoxPart *box_journal_read_part (JsonObject *object, const char *session_id);

/* --- spool/journal-ahead.c --- */

/* Each applies a record to @state; FALSE: it makes no sense. */
gboolean box_journal_apply_seed (BoxJournalState *state, JsonObject *object);
gboolean box_journal_apply_ahead (BoxJournalState *state, JsonObject *object);
gboolean box_journal_apply_rewritten (BoxJournalState *state, JsonObject *object);
gboolean box_journal_apply_seed_aborted (BoxJournalState *state, JsonObject *object);

/* After the last record: the seed's parts are among those that may be found elsewhere. */
void box_journal_settle_ahead (BoxJournalState *state);

G_END_DECLS
