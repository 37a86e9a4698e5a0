#include "ui/export.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/jsonw.h"
#include "src/money.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT_MAX ((size_t)32 << 20)
#define FIELDS     15

static const char *const names[FIELDS] = {"id", "received", "event", "store", "platform", "pixel",
	"state", "reason", "run", "tries", "latency_ms", "amount", "currency", "order", "message"};

struct line {
	char id[24], received[32], run[8], tries[8], latency[24];
	struct buf amount;
	const char *v[FIELDS]; /* in the order of the names; "" for none */
};

static void fill(struct line *l, const struct view_row *v, const struct data *d)
{
	const struct view_store *st = data_store(d, v->store_id);
	const struct view_pixel *px = data_pixel(d, v->pixel_id);
	struct money m = {.minor = v->amount};
	memcpy(m.currency, v->currency, sizeof(m.currency));
	snprintf(l->id, sizeof(l->id), "%lld", (long long)v->id);
	clock_format(v->received_us, l->received);
	snprintf(l->run, sizeof(l->run), "%d", v->run);
	snprintf(l->tries, sizeof(l->tries), "%d", v->tries);
	l->latency[0] = '\0';
	if (v->done_us)
		snprintf(l->latency, sizeof(l->latency), "%lld",
			(long long)(v->done_us - v->received_us) / 1000);
	buf_clear(&l->amount);
	if (*v->currency)
		money_format(&l->amount, m);
	const char *const all[FIELDS] = {l->id, l->received, event_word(v->name),
		st ? st->name : "", px ? platform_word(px->platform) : "", px ? px->name : "",
		v->state >= 0 ? disposition_word(v->state) : "", reason_word(v->reason), l->run,
		l->tries, l->latency, buf_str(&l->amount), v->currency, v->order_id, v->message};
	memcpy(l->v, all, sizeof(all));
}

static void csv_field(struct buf *b, const char *s)
{
	/* An amount may be negative; every other text that begins so is no number of ours. */
	bool number = *s && s[strspn(s, "-0123456789.")] == '\0';
	buf_addc(b, '"');
	if (!number && *s && strchr("=+-@\t\r", *s))
		buf_addc(b, '\'');
	for (; *s; s++) {
		if (*s == '"')
			buf_addc(b, '"');
		if ((unsigned char)*s >= 0x20 || *s == '\t')
			buf_addc(b, *s);
		else
			buf_addc(b, ' ');
	}
	buf_addc(b, '"');
}

void export_cells(struct buf *b, const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		csv_field(b, cells[i]);
	}
	buf_adds(b, "\r\n");
}

static void csv_line(struct buf *b, const char *const v[FIELDS])
{
	export_cells(b, v, FIELDS);
}

static void json_line(struct jsonw *w, const char *const v[FIELDS])
{
	jsonw_open(w, NULL, '{');
	for (int i = 0; i < FIELDS; i++)
		if (*v[i])
			jsonw_str(w, names[i], v[i]);
	jsonw_close(w, '}');
}

void export_lines(struct buf *b, const struct feed *f, const struct data *d, enum export_form form)
{
	struct line l = {.amount = BUF_INIT(64)};
	struct jsonw w = JSONW_INIT(b);
	if (form == EXPORT_CSV)
		csv_line(b, names);
	else
		jsonw_open(&w, NULL, '[');
	for (int i = 0; i < f->nshown; i++) {
		fill(&l, feed_shown(f, i), d);
		if (form == EXPORT_CSV)
			csv_line(b, l.v);
		else
			json_line(&w, l.v);
	}
	if (form == EXPORT_JSON)
		jsonw_close(&w, ']');
	buf_release(&l.amount);
}

/* Into a file that must not exist yet. */
static enum ta_rc write_file(const char *name, const struct buf *b, struct ta_err *err)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ta_fail_os(err, "cannot write %.150s", name);
	bool ok = !b->over;
	for (size_t at = 0; ok && at < b->len;) {
		ssize_t n = write(fd, b->p + at, b->len - at);
		ok = n > 0;
		at += ok ? (size_t)n : 0;
	}
	ok = close(fd) == 0 && ok;
	return ok ? TA_OK : ta_fail_os(err, "cannot write all of %.150s", name);
}

enum ta_rc export_bytes(
	const struct buf *b, const char *what, int64_t now_us, char name[256], struct ta_err *err)
{
	struct tm tm;
	char at[32];
	time_t t = (time_t)(now_us / US_PER_S);
	gmtime_r(&t, &tm);
	strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
	snprintf(name, 256, "trackai-%.40s-%s.csv", what, at);
	return write_file(name, b, err);
}

enum ta_rc export_file(const struct feed *f, const struct data *d, enum export_form form,
	char name[256], struct ta_err *err)
{
	struct buf b = BUF_INIT(EXPORT_MAX);
	struct tm tm;
	time_t t = (time_t)(d->now_us / US_PER_S);
	gmtime_r(&t, &tm);
	if (!*name)
		strftime(name, 256,
			form == EXPORT_CSV ? "trackai-events-%Y%m%d-%H%M%S.csv"
					   : "trackai-events-%Y%m%d-%H%M%S.json",
			&tm);
	export_lines(&b, f, d, form);
	enum ta_rc rc = write_file(name, &b, err);
	buf_release(&b);
	return rc;
}
