/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of routes: which handler answers what.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* @path without the query; @id is set to what stands for ":id", @tail to what does for "*". Never
 * NULL: what is not known has a route that says so. */
const EmuRoute *emu_routes_find (const char *method, const char *path, char **id, char **tail);

/* routes/sessions.c */
void emu_route_create_session (EmuCall *call);
void emu_route_create_version_session (EmuCall *call);
void emu_route_get_session (EmuCall *call);
void emu_route_upload_part (EmuCall *call);
void emu_route_list_parts (EmuCall *call);
void emu_route_commit (EmuCall *call);
void emu_route_abort (EmuCall *call);
void emu_route_plan (EmuCall *call);
void emu_route_log_event (EmuCall *call);

/* routes/content.c */
void emu_route_preflight (EmuCall *call);
void emu_route_preflight_version (EmuCall *call);
void emu_route_upload_file (EmuCall *call);
void emu_route_upload_version (EmuCall *call);
void emu_route_download (EmuCall *call);
void emu_route_content (EmuCall *call);

/* routes/items.c */
void emu_route_get_file (EmuCall *call);
void emu_route_update_file (EmuCall *call);
void emu_route_delete_file (EmuCall *call);
void emu_route_copy_file (EmuCall *call);
void emu_route_list_versions (EmuCall *call);
void emu_route_get_folder (EmuCall *call);
void emu_route_list_folder (EmuCall *call);
void emu_route_create_folder (EmuCall *call);
void emu_route_update_folder (EmuCall *call);
void emu_route_delete_folder (EmuCall *call);

/* routes/metadata.c */
void emu_route_create_metadata (EmuCall *call);
void emu_route_get_metadata (EmuCall *call);
void emu_route_update_metadata (EmuCall *call);
void emu_route_delete_metadata (EmuCall *call);

/* routes/users.c */
void emu_route_get_user (EmuCall *call);
void emu_route_token (EmuCall *call);
void emu_route_revoke (EmuCall *call);

G_END_DECLS
