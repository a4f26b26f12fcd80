// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plays every file of a corpus once, in order of name: what the fuzzer reached or found stays
 * tested with any compiler. seamcall-replay DIRECTORY | FILE...
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/fuzz/reached.h"
#include "tests/fuzz/seamcall.h"

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(GPtrArray *files, const char *path)
{
	GDir *d = g_dir_open(path, 0, NULL);
	const char *name;

	if (!d) {
		g_ptr_array_add(files, g_strdup(path));
		return;
	}
	while ((name = g_dir_read_name(d)))
		g_ptr_array_add(files, g_build_filename(path, name, NULL));
	g_dir_close(d);
}

int main(int argc, char **argv)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	bool bad = false;

	for (int i = 1; i < argc; i++)
		add(files, argv[i]);
	g_ptr_array_sort(files, by_name);
	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		gsize size;
		char *data;

		if (!g_file_get_contents(path, &data, &size, NULL)) {
			fprintf(stderr, "%s: cannot be read\n", path);
			bad = true;
			continue;
		}
		fprintf(stderr, "%s\n", path);	/* the last one that is named did it */
		fuzz_seamcall((const uint8_t *)data, size);
		g_free(data);
	}
	printf("%u inputs\n", files->len);
	reached_report(stdout);
	bad |= !files->len;
	if (files->len > 1)	/* a corpus calls everything */
		bad |= reached_missed(stderr) != 0;
	g_ptr_array_free(files, TRUE);
	return bad;
}
