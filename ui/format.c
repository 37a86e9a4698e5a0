#include "ui/format.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/money.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Digits with a comma at every third place; text is the plain number, a fraction may follow. */
static void group(const char *text, char *out, size_t size)
{
	size_t o = 0, n = strspn(text + (*text == '-'), "0123456789") + (*text == '-');
	for (size_t i = 0; text[i] && o + 2 < size; i++) {
		if (i < n && i > (*text == '-') && (n - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = text[i];
	}
	out[o] = '\0';
}

void format_count(int64_t n, char out[32])
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)n);
	group(text, out, 32);
}

void format_span(int64_t us, char out[16])
{
	long long s = us / US_PER_S;
	if (us < 0)
		s = 0;
	if (s < 10 && us >= 0)
		snprintf(out, 16, "%lld.%llds", s, (long long)(us / 100000 % 10));
	else if (s < 120)
		snprintf(out, 16, "%llds", s);
	else if (s < 7200)
		snprintf(out, 16, "%lldm", s / 60);
	else if (s < 172800)
		snprintf(out, 16, "%lldh", s / 3600);
	else
		snprintf(out, 16, "%lldd", s / 86400 > 99999 ? 99999 : s / 86400);
}

void format_ms(int64_t ms, char out[16])
{
	if (ms < 0)
		snprintf(out, 16, "-");
	else if (ms < 100)
		snprintf(out, 16, "%dms", (int)ms);
	else
		format_span(ms * 1000, out);
}

static void local(int64_t us, struct tm *tm)
{
	time_t t = (time_t)(us / US_PER_S);
	localtime_r(&t, tm);
}

static bool same_day(int64_t us, int64_t now_us, struct tm *tm)
{
	struct tm now;
	local(us, tm);
	local(now_us, &now);
	return tm->tm_yday == now.tm_yday && tm->tm_year == now.tm_year;
}

void format_time(int64_t us, int64_t now_us, char out[16])
{
	struct tm tm;
	if (same_day(us, now_us, &tm))
		strftime(out, 16, "%H:%M:%S", &tm);
	else
		strftime(out, 16, "%d.%H:%M", &tm);
}

void format_when(int64_t us, int64_t now_us, char out[32])
{
	struct tm tm;
	bool today = same_day(us, now_us, &tm);
	strftime(out, 32, today ? "%H:%M" : "%m-%d %H:%M", &tm);
}

void format_money(int64_t minor, const char *currency, enum money_form form, char out[48])
{
	struct money m = {.minor = minor};
	struct buf b = BUF_INIT(64);
	char text[40];
	snprintf(m.currency, sizeof(m.currency), "%s", currency);
	money_format(&b, m);
	char *dot = b.p ? strchr(b.p, '.') : NULL;
	if (dot && form == MONEY_WHOLE)
		*dot = '\0';
	group(buf_str(&b), text, sizeof(text));
	buf_release(&b);
	snprintf(out, 48, form == MONEY_BARE ? "%s" : "%s %s", text, m.currency);
}

void format_tenths(int tenths, char out[16])
{
	if (tenths < 0)
		snprintf(out, 16, "-");
	else
		snprintf(out, 16, "%d.%d%%", tenths / 10, tenths % 10);
}
