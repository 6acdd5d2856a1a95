/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recorder and an emulator that checks what it is shown: clients, secrets, signatures, one-use
 * refresh tokens, expiry.
 */
#pragma once

#include "emulator/box-emulator.h"
#include "kit/keys.h"
#include "kit/patience.h"
#include "upload/upload.h"

#define CLIENT_SECRET TEST_CLIENT_SECRET
#define REFRESH_TOKEN "first-refresh-t0ken-0123456789"

typedef struct
{
  const char *grant;     /* "jwt", "client-credentials", "refresh-token" */
  const char *algorithm; /* of JWT; NULL: not given */
  const char *secret;    /* that the recorder has; NULL: the right one */
  guint token_lifetime;  /* seconds; 0: 3600 */
  gint64 clock_offset;   /* the emulator's clock against ours, seconds */
  guint parallel;
  const char *scenario; /* NULL: nothing goes wrong */
} CredentialsCase;

typedef struct
{
  char *dir;
  char *config_path;
  BoxEmulator *emulator;
  BoxClient *client;
} Fixture;

/* The key pair of all tests. */
extern TestKey *fixture_key;

void fixture_set_up (Fixture *f, gconstpointer credentials_case);
void fixture_tear_down (Fixture *f, gconstpointer credentials_case);

/* A client over TLS with this token instead of the configuration. */
BoxClient *fixture_new_client (Fixture *f, const char *access_token);

/* An upload of @parts parts into a session of its own, all bytes written, at @rate bytes a second
 * (0: no limit). */
#define FIXTURE_PART 65536
BoxUpload *fixture_begin_upload (Fixture *f, BoxClient *client, guint parts, guint parallel,
                                 guint64 rate, char **session_id);

/* Waits for the end, and checks that every part was stored and came whole once. */
void fixture_assert_complete (Fixture *f, BoxUpload *upload, const char *session_id);
