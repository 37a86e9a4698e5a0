#include "ui/chart.h"

#include "src/attr.h"

#include <string.h>

/* Eighths of v/max over `cells` cells; at least one when v is not zero. */
static int eighths(int64_t v, int64_t max, int cells)
{
	if (v <= 0 || max <= 0)
		return 0;
	double share = (double)v / (double)max;
	int n = (int)(share * 8.0 * cells + 0.5);
	return n < 1 ? 1 : n;
}

/* Adds a step's glyph with its end, so that line is a string at any time; returns its new length.
 */
static size_t put_step(char *line, size_t len, const char *glyph)
{
	size_t n = strlen(glyph);
	memcpy(line + len, glyph, n + 1);
	return len + n;
}

void chart_spark(struct pen *p, enum style st, int w, const int64_t *v, int n)
{
	int64_t sums[256] = {0}, max = 0;
	w = TA_MIN(w, TA_MIN(p->end - p->x, (int)TA_COUNT(sums)));
	if (w <= 0)
		return;
	int per = n > w ? (n + w - 1) / w : 1;
	for (int i = 0; i < n; i++) {
		int col = w - 1 - (n - 1 - i) / per;
		if (col >= 0)
			sums[col] += v[i];
	}
	for (int i = 0; i < w; i++)
		max = TA_MAX(max, sums[i]);
	char line[256 * 4 + 1];
	size_t len = 0;
	for (int i = 0; i < w; i++) {
		const char *s = theme_step(eighths(sums[i], max, 1), true);
		len = put_step(line, len, s);
	}
	draw_n(p, st, w, line, len);
}

void chart_columns(struct box b, enum style st, const int64_t *v, int n, int step)
{
	int64_t max = 0;
	for (int i = 0; i < n; i++)
		max = TA_MAX(max, v[i]);
	for (int row = 0; row < b.h; row++) {
		struct pen p = pen_at(b, row);
		for (int i = 0; i < n; i++) {
			int left = eighths(v[i], max, b.h) - 8 * (b.h - 1 - row);
			const char *s = theme_step(left, true);
			for (int k = 0; k < step; k++)
				draw_text(&p, st, -1, k < step - 1 || step == 1 ? s : " ");
		}
	}
}
