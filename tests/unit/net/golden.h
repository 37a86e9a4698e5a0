/* What the golden tests of the destinations share: reading a JSON file, naming what differs. */
#ifndef TESTS_UNIT_NET_GOLDEN_H
#define TESTS_UNIT_NET_GOLDEN_H

#include "src/arena.h"
#include "src/buf.h"
#include "src/crypto.h"
#include "src/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file below tests/golden as a value in the arena; ends the test program when it is no JSON. */
static inline const struct jv *golden_read(struct arena *a, const char *name)
{
	char path[2048], chunk[8192];
	struct buf text = BUF_INIT(4 << 20);
	const struct jv *v = NULL;
	size_t n, at = 0;

	snprintf(path, sizeof(path), "%s/golden/%.500s", TA_TESTS, name);
	FILE *f = fopen(path, "r");
	if (!f)
		ta_die("cannot read %s", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	fclose(f);
	if (jv_parse(a, buf_str(&text), text.len, &v, &at) != JV_FINE)
		ta_die("%s is not JSON, see byte %zu", path, at);
	buf_release(&text);
	return v;
}

/* Text equal, where "sha256:text" in the golden stands for the hash of the text. */
static inline bool golden_text(const char *want, const char *got)
{
	char hex[65];

	if (strncmp(want, "sha256:", 7) != 0)
		return strcmp(want, got) == 0;
	crypto_sha256_hex(want + 7, strlen(want + 7), hex);
	return strcmp(hex, got) == 0;
}

/* Equal in names, order, types and literals? Else the path of the first difference on stderr. */
static inline bool golden_same(const struct jv *want, const struct jv *got, const char *path)
{
	char below[512];

	if (want->type != got->type || (want->type == JV_BOOL && want->b != got->b) ||
		((want->type == JV_STRING || want->type == JV_NUMBER) &&
			!golden_text(want->s, got->s))) {
		fprintf(stderr, "%s: wanted %s, got %s\n", path, want->s ? want->s : "another type",
			got->s ? got->s : "another type");
		return false;
	}
	const struct jv *w = want->child, *g = got->child;
	for (int i = 0; w && g; w = w->next, g = g->next, i++) {
		if (w->key)
			snprintf(below, sizeof(below), "%s.%s", path, w->key);
		else
			snprintf(below, sizeof(below), "%s[%d]", path, i);
		if (w->key && strcmp(w->key, g->key) != 0) {
			fprintf(stderr, "%s: got the member %s in its place\n", below, g->key);
			return false;
		}
		if (!golden_same(w, g, below))
			return false;
	}
	if (w || g)
		fprintf(stderr, "%s: %s\n", path, w ? "something is missing" : "there is more");
	return !w && !g;
}

#endif
