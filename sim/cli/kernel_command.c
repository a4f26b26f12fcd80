// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that `septsim kernel` runs: meson, ninja, git, objdump, and the program that was built.
 */
#include <sys/wait.h>

#include "sim/cli/kernel.h"

gboolean command_run(const char *cwd, const char *const *argv, GString *out, GString *err,
		     int *status)
{
	char *o = NULL, *e = NULL;
	GError *error = NULL;
	gboolean ok;
	int wait = 0;

	ok = g_spawn_sync(cwd, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &o, &e, &wait,
			  &error);
	if (!ok && err)
		g_string_append(err, error->message);
	if (ok && out)
		g_string_append(out, o);
	if (ok && err)
		g_string_append(err, e);
	if (status)
		*status = ok && WIFEXITED(wait) ? WEXITSTATUS(wait) : -1;
	g_clear_error(&error);
	g_free(o);
	g_free(e);
	return ok && WIFEXITED(wait) && !WEXITSTATUS(wait);
}
