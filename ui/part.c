/* The components of a pixel's health as people read them, and the events behind each. */
#include "src/buf.h"
#include "ui/app.h"
#include "ui/drill.h"
#include "ui/format.h"
#include "ui/why.h"

#include <stdio.h>
#include <string.h>

enum unit { UNIT_NONE, UNIT_SHARE, UNIT_MS, UNIT_SECONDS, UNIT_COUNT, UNIT_DAYS, UNIT_TIMES };

/* By the component's word: what its value is, and which events lie behind it. */
static const struct {
	const char *word;
	enum unit unit;
	const char *events; /* condition beside store and pixel; NULL: all of a day */
} parts[] = {{"state", UNIT_NONE, "state in [queued, held, retrying]"},
	{"delivery", UNIT_SHARE, "state == failed"}, {"first_try", UNIT_SHARE, "attempts > 1"},
	{"latency", UNIT_MS, "latency > 5s"},
	{"queue", UNIT_SECONDS, "state in [queued, held, retrying]"},
	{"freshness", UNIT_TIMES, NULL}, {"volume", UNIT_TIMES, NULL}, {"ledger", UNIT_COUNT, NULL},
	{"match_keys", UNIT_SHARE, NULL}, {"pairs", UNIT_SHARE, NULL}, {"token", UNIT_DAYS, NULL},
	{"refunds", UNIT_SHARE, "name == refund"}};

static int row_of(int part)
{
	const char *word = health_word((enum health_part)part);
	for (size_t i = 0; i < TA_COUNT(parts); i++)
		if (strcmp(parts[i].word, word) == 0)
			return (int)i;
	return -1;
}

static void number(enum unit u, double v, char out[32])
{
	switch (u) {
	case UNIT_SHARE:
		format_tenths((int)(v * 1000 + 0.5), out);
		break;
	case UNIT_MS:
		format_ms((int64_t)v, out);
		break;
	case UNIT_SECONDS:
		format_span((int64_t)v * 1000000, out);
		break;
	case UNIT_COUNT:
		snprintf(out, 32, "%lld", (long long)v);
		break;
	case UNIT_DAYS:
		snprintf(out, 32, "%lldd", (long long)v);
		break;
	case UNIT_TIMES:
		snprintf(out, 32, "%.2g", v);
		break;
	case UNIT_NONE:
		out[0] = '\0';
		break;
	}
}

void part_value(int part, const struct health_judged *p, char out[32])
{
	int at = row_of(part);
	char text[32];
	number(at < 0 ? UNIT_TIMES : parts[at].unit, p->value, text);
	snprintf(out, 32, "%s", p->status == HEALTH_UNKNOWN ? "?" : text);
}

void part_range(int part, const struct health_judged *p, char out[80])
{
	int at = row_of(part);
	char lo[32], hi[32];
	enum unit u = at < 0 ? UNIT_TIMES : parts[at].unit;
	number(u, p->lo, lo);
	number(u, p->hi, hi);
	out[0] = '\0';
	if (p->status != HEALTH_UNKNOWN && p->hi > p->lo)
		snprintf(out, 80, u == UNIT_MS ? "p50 %s p99 %s" : "%s to %s", lo, hi);
}

bool part_events(const struct data *d, int32_t pixel_id, int part, char out[512])
{
	struct buf b = BUF_INIT(500);
	int at = row_of(part);
	bool known = drill_pixel(&b, d, pixel_id);
	if (at >= 0 && parts[at].events)
		buf_addf(&b, " and %s", parts[at].events);
	snprintf(out, 512, "%s", buf_str(&b));
	buf_release(&b);
	return known;
}

enum style health_style(enum health_status s)
{
	return s == HEALTH_CRIT   ? ST_BAD
	       : s == HEALTH_WARN ? ST_WARN
	       : s == HEALTH_OK   ? ST_OK
				  : ST_TEXT;
}

enum glyph health_glyph(enum health_status s)
{
	return s == HEALTH_CRIT   ? GL_BAD
	       : s == HEALTH_WARN ? GL_WARN
	       : s == HEALTH_OK   ? GL_OK
				  : GL_WAIT;
}
