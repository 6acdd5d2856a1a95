/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signal "request-token": asks the application for a token before a refusal becomes an error.
 */
#pragma once

#include <gst/gst.h>

#include "api/client.h"

G_BEGIN_DECLS

/* Adds the signal to the element's class; returns its id. */
guint sink_install_request_token (GObjectClass *klass);

/* Makes @client ask @element's signal handlers for tokens, if there are any. Does not keep @element
 * alive. */
void sink_answer_token_requests (GstElement *element, BoxClient *client);

G_END_DECLS
