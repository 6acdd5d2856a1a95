/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments.h"

#include <string.h>

#include "base/error.h"

gboolean
cli_arguments_check_number (const CliCommand *command, guint n, GError **error)
{
  if (n >= command->min_arguments && n <= command->max_arguments)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "%s: boxupload %s %s",
               n < command->min_arguments ? "An argument is missing" : "Too many arguments",
               command->name, command->arguments);
  return FALSE;
}

void
cli_arguments_drop_separator (char **arguments)
{
  while (*arguments != NULL && !g_str_equal (*arguments, "--"))
    arguments++;
  if (*arguments == NULL)
    return;
  g_free (*arguments);
  for (; *arguments != NULL; arguments++)
    arguments[0] = arguments[1];
}

/* The option that @argument gives an empty value; @before: (nullable): the option in front of it.
 * NULL: none. Free with g_free(). */
static char *
dup_option_without_value (const char *argument, const char *before)
{
  const char *equals = strchr (argument, '=');

  if (*argument == '\0')
    return g_strdup (before);
  if (g_str_has_prefix (argument, "--") && equals != NULL && equals[1] == '\0')
    return g_strndup (argument, (gsize) (equals - argument));
  return NULL;
}

gboolean
cli_arguments_check_empty (char *const *arguments, GError **error)
{
  const char *before = NULL; /* an option whose value may follow */
  gboolean ended = FALSE;    /* only arguments follow */

  for (; *arguments != NULL; arguments++)
    {
      const char *argument = *arguments;
      g_autofree char *option = ended ? NULL : dup_option_without_value (argument, before);

      if (option != NULL && !g_str_equal (option, "--description"))
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "The value of %s is empty; leave the option out if it has none", option);
          return FALSE;
        }
      if (option == NULL && *argument == '\0')
        {
          g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS, "An argument is empty");
          return FALSE;
        }
      ended |= g_str_equal (argument, "--");
      before = argument[0] == '-' && argument[1] != '\0' ? argument : NULL;
    }
  return TRUE;
}
