/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tests' views of requests, files and sessions. Copies that own their strings.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * BoxEmulatorRequest:
 * @number: 1, 2, …: in the order in which the heads were read.
 * @connection: number of the connection, from 1.
 * @route: what was asked: "create_session", "create_version_session", "get_session", "upload_part",
 * "list_parts", "commit", "abort", "preflight", "preflight_version", "upload_file",
 * "upload_version", "get_file", "download", "get_user", "token", "revoke", … (docs/emulator.md
 * lists all), "unknown".
 * @path: with the query.
 * @token: the bearer token, or %NULL.
 * @offset: first byte by Content-Range, -1 without.
 * @body_bytes: bytes of the body that were read.
 * @status: of the reply; 0: none was sent (yet).
 * @done: the reply was sent, or the connection lost.
 * @aborted: the connection ended before the reply was sent whole, by the client's doing or by a
 * fault's.
 * @late_status: what came of it when it was done after it had been answered (a rule's "later"); 0:
 * it was not (yet).
 * @fault: "do" of the last scenario rule that struck, or %NULL.
 * @began, @ended: monotonic time, µs; @ended 0 until @done.
 */
typedef struct
{
  guint number;
  guint connection;
  gboolean tls;
  const char *route;
  char *method;
  char *path;
  SoupMessageHeaders *headers;
  char *token;
  gint64 offset;
  guint64 body_bytes;
  guint status;
  gboolean done;
  gboolean aborted;
  guint late_status;
  char *fault;
  gint64 began;
  gint64 ended;
} BoxEmulatorRequest;

void box_emulator_request_free (BoxEmulatorRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxEmulatorRequest, box_emulator_request_free)

/* A file. @path is its newest content on disk, to be read only. Attributes that were not given are
 * NULL. */
typedef struct
{
  char *id;
  char *version_id;
  char *folder_id;
  char *name;
  char *sha1; /* hex */
  char *etag;
  char *path;
  guint64 size;
  guint n_versions; /* 1: only the first */
  char *description;
  char *content_created_at;
  char *content_modified_at;
} BoxEmulatorFile;

void box_emulator_file_free (BoxEmulatorFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxEmulatorFile, box_emulator_file_free)

typedef enum
{
  BOX_EMULATOR_SESSION_OPEN,
  BOX_EMULATOR_SESSION_COMMITTED, /* at least once */
  BOX_EMULATOR_SESSION_ABORTED,
  BOX_EMULATOR_SESSION_EXPIRED,
} BoxEmulatorSessionState;

/* How far the plan of a session looks for parts (docs/emulator.md). */
typedef enum
{
  BOX_EMULATOR_PLAN_ABSENT,  /* sessions have no "plan" */
  BOX_EMULATOR_PLAN_NONE,    /* nothing is found */
  BOX_EMULATOR_PLAN_SESSION, /* parts of the same session */
  BOX_EMULATOR_PLAN_FILE,    /* these, and those of committed versions of the same file */
  BOX_EMULATOR_PLAN_ACCOUNT, /* parts of all sessions of the user, committed or not */
  BOX_EMULATOR_PLAN_LATE,    /* the same, when they are old enough */
  BOX_EMULATOR_PLAN_LYING,   /* the same, but a commit does not know them (parts_mismatch) */
  BOX_EMULATOR_PLAN_WRONG,   /* the same, but their bytes are others (digest_mismatch) */
} BoxEmulatorPlan;

/* An upload session. */
typedef struct
{
  char *id;
  char *folder_id; /* NULL for a version */
  char *file_id;   /* of a version, else NULL */
  char *file_name;
  guint64 size;
  guint64 part_size;
  guint n_parts;
  guint n_stored;
  guint n_hits;     /* parts that its plan has found elsewhere, and that were not sent since */
  guint n_commits;  /* that made a file or version */
  gboolean *stored; /* n_parts: is it there */
  guint *received;  /* n_parts: how often its body arrived whole, whatever became of it */
  BoxEmulatorSessionState state;
} BoxEmulatorSession;

void box_emulator_session_free (BoxEmulatorSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxEmulatorSession, box_emulator_session_free)

G_END_DECLS
