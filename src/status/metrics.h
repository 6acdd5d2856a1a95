/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sums of a BoxStatusView, and this process's requests, as Prometheus reads them. */
#pragma once

#include "status/view.h"

G_BEGIN_DECLS

/* Text exposition format 0.0.4. No label has the name of a file. Free with g_free(). */
char *box_status_metrics_format (BoxStatusView *view);

G_END_DECLS
