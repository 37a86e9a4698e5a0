/* rfm < FILE: customers with their scores as a CSV (customer, recency in days, frequency, gross,
 * refund, net, r, f, m); says how many get other scores than the file's. */
#include "src/arena.h"
#include "src/clock.h"
#include "src/buf.h"
#include "src/csv.h"
#include "src/rfm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US (86400 * US_PER_S)
#define NOW    (20000 * DAY_US)
#define MOST   10000

static int64_t whole(const char *text)
{
	return strtoll(text, NULL, 10);
}

int main(void)
{
	static struct rfm got[MOST], want[MOST];
	struct arena a = ARENA_INIT;
	struct csv csv;
	struct ta_err err = {0};
	const char *cells[CSV_MAX_CELLS];
	char chunk[4096];
	struct buf text = BUF_INIT(1 << 20);
	size_t n, rows = 0, wrong = 0;
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_add(&text, chunk, n);
	csv_open(&csv, text.p, text.len);
	while (csv_next(&csv, &a, cells, &n, &err) == TA_OK && n == 9 && rows < MOST) {
		if (strcmp(cells[0], "customer") == 0)
			continue;
		got[rows] = (struct rfm){.customer = whole(cells[0]),
			.last_us = NOW - whole(cells[1]) * DAY_US,
			.orders = whole(cells[2]),
			.net_minor = llround(strtod(cells[5], NULL) * 100)};
		want[rows] = (struct rfm){.r = (int8_t)whole(cells[6]),
			.f = (int8_t)whole(cells[7]),
			.m = (int8_t)whole(cells[8])};
		rows++;
	}
	rfm_score(got, rows, NOW);
	for (size_t i = 0; i < rows; i++)
		wrong += got[i].r != want[i].r || got[i].f != want[i].f || got[i].m != want[i].m;
	printf("%zu %zu\n", rows, wrong);
	buf_release(&text);
	arena_release(&a);
	return 0;
}
