/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a delivery was made of may go while it runs. */
#include "delivery/delivery.h"

#include "kit/spool-kit.h"

#include <string.h>

typedef struct
{
  const char *name;
  gboolean live;
  gboolean ahead;
} Way;

static const Way ways[] = { { "live", TRUE, FALSE },
                            { "ahead", FALSE, TRUE },
                            { "spool", FALSE, FALSE } };

/* As the sink's settings go when an application stops it in the handler of a message. */
static BoxDelivery *
make_of_settings_that_go (SpoolKit *kit, const Way *way)
{
  static const BoxDeliveryEvents events = { 0 };
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "a.bin", NULL);
  /* Not freed, so that what is read too late is there, and wrong. */
  static char description[32], account_file[256];
  const BoxDeliverySettings settings = {
    .upload = { .client = kit->client,
                .destination = destination,
                .commit = TRUE,
                .attributes = { .description = description } },
    .sizing = BOX_SIZING_SPOOL,
    .padding = BOX_PADDING_NONE,
    .account_file = account_file,
    .live = way->live,
    .ahead = way->ahead,
  };
  g_autoptr (GError) error = NULL;
  BoxDelivery *delivery;

  g_strlcpy (description, "the first goal", sizeof description);
  g_snprintf (account_file, sizeof account_file, "%s/account", kit->dir);
  delivery = box_delivery_new_stream (&settings, kit->spool, &events, NULL, NULL, &error);
  g_assert_no_error (error);
  memset (description, '#', strlen (description));
  memset (account_file, '#', strlen (account_file));
  memset (destination->name, '#', strlen (destination->name));
  return delivery;
}

static void
test_settings_may_go (gconstpointer data)
{
  const Way *way = data;
  SpoolKit kit = { 0 };
  g_autoptr (BoxDelivery) delivery = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  spool_kit_set_up (&kit);
  delivery = make_of_settings_that_go (&kit, way);
  box_delivery_start (delivery);
  g_assert_cmpuint (box_delivery_write (delivery, 0, (const guint8 *) "bytes", 5), ==, 5);
  if (way->live)
    g_assert_true (box_emulator_wait_bytes (kit.emulator, 5, KIT_PATIENCE_MS));
  box_delivery_finish (delivery, "eos", BOX_PADDING_NONE, 0, NULL);
  g_assert_cmpint (box_delivery_wait (delivery, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  file = box_emulator_find_file (kit.emulator, "0", "a.bin");
  g_assert_nonnull (file);
  g_assert_cmpstr (file->description, ==, "the first goal");
  g_clear_pointer (&delivery, box_delivery_free);
  spool_kit_tear_down (&kit);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strconcat ("/borrowed/settings-may-go/", ways[i].name, NULL);

      g_test_add_data_func (path, &ways[i], test_settings_may_go);
    }
  return g_test_run ();
}
