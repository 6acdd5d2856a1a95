/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxCredentials with an auth-config, and a token endpoint with prepared answers. */
#pragma once

#include "auth/config.h"
#include "auth/credentials.h"
#include "base/error.h"
#include "token-server.h"

#define CLIENT "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"enterprise_id\":\"4711\"}"
#define REFRESH                                                                                    \
  "{\"client_id\":\"id\",\"client_secret\":\"s3cret\",\"refresh_token\":\"refresh-0\"}"

typedef struct
{
  char *dir;
  char *path; /* of the configuration */
  BoxTransportConfig *transport_config;
  TokenServer *server;
  BoxCredentials *credentials;
} Fixture;

typedef struct
{
  BoxCredentials *credentials;
  GCancellable *cancellable;
  char *token;
  GError *error;
} Caller;

void grants_set_up (Fixture *f, gconstpointer data);
void grants_tear_down (Fixture *f, gconstpointer data);
void grants_write_config (Fixture *f, const char *json);
BoxCredentials *grants_open_with (Fixture *f, BoxTransportConfig *transport_config);
BoxCredentials *grants_open (Fixture *f);
void grants_start (Fixture *f, const char *json, const TokenAnswer *answers, guint n_answers);
void grants_start_plain (Fixture *f, const char *json);
void grants_assert_token (BoxCredentials *credentials, const char *refused, const char *expected);
GError *grants_assert_no_token (BoxCredentials *credentials, BoxErrorCode code);
void grants_assert_field (Fixture *f, guint number, const char *name, const char *expected);
gpointer grants_call (gpointer user_data);
