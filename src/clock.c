#include "src/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t offset_us;
static char *file;        /* of @FILE */
static int64_t frozen_us; /* last good content of the file */

static int64_t real_us(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static bool read_file(int64_t *us)
{
	char text[64] = "";
	FILE *f = fopen(file, "re");
	if (!f)
		return false;
	bool ok = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	text[strcspn(text, "\r\n \t")] = '\0';
	return ok && clock_parse(text, us);
}

enum ta_rc clock_init(const char *spec, struct ta_err *err)
{
	offset_us = 0;
	free(file);
	file = NULL;
	if (!spec || !*spec)
		return TA_OK;
	if (*spec == '@') {
		file = ta_strdup(spec + 1);
		if (!read_file(&frozen_us))
			return ta_fail(err, TA_CONFIG,
				"TRACKAI_CLOCK: %s holds no instant such as "
				"2026-11-22T10:40:00Z; write one into it",
				file);
		return TA_OK;
	}
	int64_t us;
	if (!clock_parse(spec, &us))
		return ta_fail(err, TA_CONFIG,
			"TRACKAI_CLOCK: \"%.60s\" is not an instant such as "
			"2026-11-22T10:40:00Z, nor @FILE",
			spec);
	offset_us = us - real_us(CLOCK_REALTIME);
	return TA_OK;
}

const char *clock_file(void)
{
	return file;
}

int64_t clock_now_us(void)
{
	if (!file)
		return real_us(CLOCK_REALTIME) + offset_us;
	int64_t us;
	if (read_file(&us))
		__atomic_store_n(&frozen_us, us, __ATOMIC_RELAXED);
	return __atomic_load_n(&frozen_us, __ATOMIC_RELAXED);
}

int64_t clock_now_s(void)
{
	return clock_now_us() / US_PER_S;
}

int64_t clock_mono_us(void)
{
	return real_us(CLOCK_MONOTONIC);
}

/* Exactly n digits at *s; moves on. */
static bool digits(const char **s, int n, int *out)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		char c = (*s)[i];
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (c - '0');
	}
	*s += n;
	*out = v;
	return true;
}

/* Days since 1970-01-01 of a Gregorian date; false if there is no such day. */
static bool civil_days(int y, int m, int d, int64_t *days)
{
	static const int len[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (y < 1970 || m < 1 || m > 12 || d < 1)
		return false;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	if (d > len[m - 1] + (m == 2 && leap ? 1 : 0))
		return false;
	int64_t n =
		(int64_t)(y - 1970) * 365 + (y - 1969) / 4 - (y - 1901) / 100 + (y - 1601) / 400;
	for (int i = 0; i < m - 1; i++)
		n += len[i] + (i == 1 && leap ? 1 : 0);
	*days = n + d - 1;
	return true;
}

static bool parse_fraction(const char **s, int *us)
{
	*us = 0;
	if (**s != '.')
		return true;
	int scale = 100000;
	const char *p = *s + 1;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
		*us += (*p - '0') * scale;
	*s = p;
	return true;
}

static bool parse_zone(const char **s, int *offset_s)
{
	int h, m, sign = **s == '-' ? -1 : 1;
	*offset_s = 0;
	if (**s == 'Z' || **s == 'z') {
		(*s)++;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!digits(s, 2, &h))
		return false;
	if (**s == ':')
		(*s)++;
	if (!digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return true;
}

/* The part behind the T: time of day, fraction, zone; microseconds behind midnight UTC. */
static bool parse_time(const char **s, int64_t *us)
{
	int h, mi, sec = 0, frac, zone;
	if (!digits(s, 2, &h) || *(*s)++ != ':' || !digits(s, 2, &mi))
		return false;
	if (**s == ':') {
		(*s)++;
		if (!digits(s, 2, &sec))
			return false;
	}
	if (h > 23 || mi > 59 || sec > 60 || !parse_fraction(s, &frac) || !parse_zone(s, &zone))
		return false;
	*us = (h * 3600 + mi * 60 + sec - zone) * US_PER_S + frac;
	return true;
}

bool clock_parse(const char *s, int64_t *us)
{
	int y, mo, d;
	int64_t days, time = 0;
	if (!digits(&s, 4, &y) || *s++ != '-' || !digits(&s, 2, &mo) || *s++ != '-' ||
		!digits(&s, 2, &d) || !civil_days(y, mo, d, &days))
		return false;
	if (*s == 'T' || *s == 't' || *s == ' ') {
		s++;
		if (!parse_time(&s, &time))
			return false;
	}
	if (*s)
		return false;
	*us = days * US_PER_DAY + time;
	return true;
}

void clock_format(int64_t us, char out[32])
{
	time_t t = (time_t)(us / US_PER_S);
	int frac = (int)(us % US_PER_S);
	struct tm tm;
	gmtime_r(&t, &tm);
	size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	if (frac)
		snprintf(out + n, 32 - n, ".%06dZ", frac);
	else
		snprintf(out + n, 32 - n, "Z");
}

static bool parse_ago(const char *s, int64_t *us)
{
	char *end;
	long n = strtol(s + 1, &end, 10);
	static const struct {
		char unit;
		int64_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	if (*s != '-' || end == s + 1 || n < 0 || n > 1000000 || !*end || end[1])
		return false;
	for (size_t i = 0; i < TA_COUNT(units); i++)
		if (units[i].unit == *end) {
			*us = clock_now_us() - n * units[i].s * US_PER_S;
			return true;
		}
	return false;
}

/* "10:31" or "10:31:05". */
static bool time_of_day(const char *p, int64_t *us)
{
	int h, m, sec = 0;
	if (!digits(&p, 2, &h) || *p++ != ':' || !digits(&p, 2, &m) || h > 23 || m > 59)
		return false;
	if (*p == ':') {
		p++;
		if (!digits(&p, 2, &sec) || sec > 59)
			return false;
	}
	*us = (h * 3600 + m * 60 + sec) * US_PER_S;
	return !*p;
}

enum ta_rc clock_parse_when_at(const char *s, int offset_s, int64_t *us, struct ta_err *err)
{
	int64_t offset = offset_s * US_PER_S, now = clock_now_us();
	int64_t midnight = (now + offset) / US_PER_DAY * US_PER_DAY - offset, time = 0;
	bool yesterday = strncmp(s, "yesterday", 9) == 0, today = strncmp(s, "today", 5) == 0;
	const char *rest = s + (yesterday ? 9 : today ? 5 : 0);
	if (strcmp(s, "now") == 0)
		*us = now;
	else if ((yesterday || today) && (!*rest || (*rest == ' ' && time_of_day(rest + 1, &time))))
		*us = midnight - (yesterday ? US_PER_DAY : 0) + time;
	else if (time_of_day(s, &time))
		*us = midnight + time;
	else if (!parse_ago(s, us) && !clock_parse(s, us))
		return ta_fail(err, TA_USAGE,
			"\"%.60s\" is not a time; write 2026-11-22T10:31:00Z, 10:31, -2h, yesterday "
			"or yesterday 22:00",
			s);
	return TA_OK;
}

enum ta_rc clock_parse_when(const char *s, int64_t *us, struct ta_err *err)
{
	return clock_parse_when_at(s, 0, us, err);
}
