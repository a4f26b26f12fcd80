// SPDX-License-Identifier: GPL-2.0-only
/*
 * What commands ask of the host: how much memory there is, and that addresses stay.
 */
#include <errno.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "sim/cli/cli.h"

guint64 cli_free_memory(void)
{
	guint64 kib = 0, bytes, limit;
	char *text = NULL, *at;

	if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL) &&
	    (at = strstr(text, "MemAvailable:")))
		kib = g_ascii_strtoull(at + strlen("MemAvailable:"), NULL, 10);
	g_free(text);
	bytes = kib * 1024;
	text = NULL;
	if (g_file_get_contents("/sys/fs/cgroup/memory.max", &text, NULL, NULL) &&
	    (limit = g_ascii_strtoull(text, NULL, 10)) && (!bytes || limit < bytes))
		bytes = limit;
	g_free(text);
	return bytes / 2;
}

gboolean cli_keep_addresses(gboolean must)
{
	int was = personality(0xffffffff);
	GPtrArray *argv;
	char *text;
	gsize n;

	if (was != -1 && was & ADDR_NO_RANDOMIZE)
		return TRUE;
	if (was == -1 || personality((unsigned long)was | ADDR_NO_RANDOMIZE) == -1)
		return !must || (cli_fail("--checkpoint: the addresses of this process cannot be kept still "
					  "here (personality: %s)", g_strerror(errno)), FALSE);
	if (!g_file_get_contents("/proc/self/cmdline", &text, &n, NULL))
		return !must || (cli_fail("--checkpoint wants /proc"), FALSE);
	argv = g_ptr_array_new();
	for (char *p = text; p < text + n; p += strlen(p) + 1)
		g_ptr_array_add(argv, p);
	g_ptr_array_add(argv, NULL);
	execv("/proc/self/exe", (char **)argv->pdata);
	return !must || (cli_fail("--checkpoint: %s", g_strerror(errno)), FALSE);
}
