/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A fuzz target takes any bytes and must neither crash nor leak nor break what it asserts. Built
 * with -Dfuzz=true by clang it is a libFuzzer program; otherwise fuzz-replay.c runs it over its
 * corpus and simple mutations of it.
 */
#pragma once

#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
