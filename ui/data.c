#include "ui/data.h"

#include "src/clock.h"
#include "src/tally.h"
#include "ui/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_US (5 * US_PER_S)
#define GONE_US   (60 * US_PER_S)
#define HOUR_S    3600
#define DAY_S     INT64_C(86400)

struct arena *twin_next(struct twin *t)
{
	t->cur = !t->cur;
	arena_clear(&t->a[t->cur]);
	return &t->a[t->cur];
}

void data_release(struct data *d)
{
	struct twin *twins[] = {&d->stores_mem, &d->pixels_mem, &d->beats_mem, &d->faults_mem,
		&d->last_mem, &d->health_mem, &d->alerts_mem, &d->circuits_mem, &d->book_mem,
		&d->unbalanced_mem};
	for (size_t i = 0; i < TA_COUNT(twins); i++) {
		arena_release(&twins[i]->a[0]);
		arena_release(&twins[i]->a[1]);
	}
	free(d->pulses);
	*d = (struct data){0};
}

void data_forget(struct data *d)
{
	d->npulses = d->nbeats = d->nfaults = d->nlast = d->nmoney = 0;
	d->minute = 0;
	d->p50_ms = d->p95_ms = -1;
	for (int i = 0; i < PLATFORM_COUNT; i++)
		d->platform_p50[i] = d->platform_p95[i] = -1;
	d->has_counts = d->has_beats = d->has_money = d->has_faults = d->has_last = d->slow = false;
	d->nhealth = d->nalerts = d->ncircuits = d->nbook = d->nunbalanced = 0;
	d->has_health = d->has_alerts = d->has_book = d->has_unbalanced = false;
}

const struct view_store *data_store(const struct data *d, int32_t id)
{
	for (size_t i = 0; i < d->nstores; i++)
		if (d->stores[i].id == id)
			return &d->stores[i];
	return NULL;
}

const struct view_pixel *data_pixel(const struct data *d, int32_t id)
{
	for (size_t i = 0; i < d->npixels; i++)
		if (d->pixels[i].id == id)
			return &d->pixels[i];
	return NULL;
}

const struct view_last *data_last(const struct data *d, int32_t pixel_id)
{
	for (size_t i = 0; i < d->nlast; i++)
		if (d->last[i].pixel_id == pixel_id)
			return &d->last[i];
	return NULL;
}

const struct view_health *data_health(const struct data *d, int32_t pixel_id)
{
	size_t lo = 0, hi = d->nhealth;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (d->health[mid].pixel_id < pixel_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < d->nhealth && d->health[lo].pixel_id == pixel_id ? &d->health[lo] : NULL;
}

const struct view_circuit *data_circuit(const struct data *d, int32_t pixel_id)
{
	for (size_t i = 0; i < d->ncircuits; i++)
		if (d->circuits[i].pixel_id == pixel_id)
			return &d->circuits[i];
	return NULL;
}

const struct pulse *data_find_pulse(const struct data *d, int32_t pixel_id)
{
	for (size_t i = 0; i < d->npulses; i++)
		if (d->pulses[i].pixel_id == pixel_id)
			return &d->pulses[i];
	return NULL;
}

struct pulse *data_pulse(struct data *d, int32_t pixel_id)
{
	for (size_t i = 0; i < d->npulses; i++)
		if (d->pulses[i].pixel_id == pixel_id)
			return &d->pulses[i];
	if (d->npulses == d->pulses_size) {
		d->pulses_size = d->pulses_size ? d->pulses_size * 2 : 8;
		d->pulses = ta_realloc(d->pulses, d->pulses_size * sizeof(*d->pulses));
	}
	struct pulse *p = &d->pulses[d->npulses++];
	*p = (struct pulse){.pixel_id = pixel_id, .p50_ms = -1, .p95_ms = -1};
	return p;
}

static void clear_minute(struct data *d, int64_t minute)
{
	int m = (int)(minute % MINUTES);
	for (size_t i = 0; i < d->npulses; i++) {
		memset(d->pulses[i].n[m], 0, sizeof(d->pulses[i].n[m]));
		d->pulses[i].routed[m] = d->pulses[i].failed[m] = 0;
	}
}

void data_minute(struct data *d, int64_t minute)
{
	int64_t first = TA_MAX(d->minute + 1, minute - MINUTES + 1);
	for (int64_t m = first; m <= minute; m++)
		clear_minute(d, m);
	if (minute > d->minute)
		d->minute = minute;
}

void data_counts(struct data *d, const struct view_count *v, size_t n, int64_t from_minute)
{
	for (int64_t m = TA_MAX(from_minute, d->minute - MINUTES + 1); m <= d->minute; m++)
		clear_minute(d, m);
	for (size_t i = 0; i < n; i++, v++) {
		if (v->minute > d->minute || v->minute <= d->minute - MINUTES)
			continue;
		struct pulse *p = data_pulse(d, v->pixel_id);
		int m = (int)(v->minute % MINUTES);
		if (v->item >= 0 && v->item < DISP_COUNT)
			p->n[m][v->item] += (int32_t)v->n;
		else if (v->item == TALLY_FAILED)
			p->failed[m] += (int32_t)v->n;
		else if (v->item == TALLY_EVENT || v->item == TALLY_ROUTED)
			p->routed[m] += (int32_t)v->n;
	}
	d->has_counts = true;
}

static void quantiles(const int64_t *bins, int64_t *p50, int64_t *p95)
{
	*p50 = latency_quantile(bins, LATENCY_BINS, 0.5);
	*p95 = latency_quantile(bins, LATENCY_BINS, 0.95);
}

void data_latency(struct data *d, const struct view_count *v, size_t n)
{
	/* All, each platform, the current pixel. */
	int64_t(*bins)[LATENCY_BINS] = ta_alloc((PLATFORM_COUNT + 2) * sizeof(*bins));
	int64_t *all = bins[PLATFORM_COUNT], *own = bins[PLATFORM_COUNT + 1];
	for (size_t i = 0; i < d->npulses; i++)
		d->pulses[i].p50_ms = d->pulses[i].p95_ms = -1;
	for (size_t i = 0; i < n; i++) {
		const struct view_pixel *px = data_pixel(d, v[i].pixel_id);
		int bin = TA_MAX(0, latency_bin_of(v[i].item, v[i].bin));
		all[bin] += v[i].n;
		own[bin] += v[i].n;
		if (px && px->platform >= 0)
			bins[px->platform][bin] += v[i].n;
		if (i + 1 < n && v[i + 1].pixel_id == v[i].pixel_id)
			continue;
		struct pulse *p = data_pulse(d, v[i].pixel_id);
		quantiles(own, &p->p50_ms, &p->p95_ms);
		memset(own, 0, sizeof(*bins));
	}
	for (int i = 0; i < PLATFORM_COUNT; i++)
		quantiles(bins[i], &d->platform_p50[i], &d->platform_p95[i]);
	quantiles(all, &d->p50_ms, &d->p95_ms);
	free(bins);
}

void data_ledger(struct data *d, const struct view_count *v, size_t n)
{
	for (size_t i = 0; i < d->npulses; i++)
		memset(d->pulses[i].open, 0, sizeof(d->pulses[i].open));
	for (size_t i = 0; i < n; i++)
		if (v[i].item >= DISP_QUEUED && v[i].item <= DISP_RETRYING)
			data_pulse(d, v[i].pixel_id)->open[v[i].item] += v[i].n;
}

/* Money ---------------------------------------------------------------------------------------- */

static struct money_sum *sum_of(struct data *d, const char *currency)
{
	for (size_t i = 0; i < d->nmoney; i++)
		if (strcmp(d->money[i].currency, currency) == 0)
			return &d->money[i];
	if (d->nmoney == MONEY_MAX)
		return NULL;
	struct money_sum *s = &d->money[d->nmoney++];
	*s = (struct money_sum){0};
	snprintf(s->currency, sizeof(s->currency), "%s", currency);
	return s;
}

static int by_orders(const void *a, const void *b)
{
	const struct money_sum *x = a, *y = b;
	if (x->orders != y->orders)
		return x->orders > y->orders ? -1 : 1;
	return strcmp(x->currency, y->currency);
}

static void add_money(struct data *d, const struct view_money *v)
{
	const struct view_store *st = data_store(d, v->store_id);
	int64_t zone = st ? st->zone_s : 0, now = d->now_us / US_PER_S + zone;
	/* Buckets begin at the store's own hours: only whole hours lie between them and local time.
	 */
	int64_t whole = (zone - (zone % HOUR_S + HOUR_S) % HOUR_S) / HOUR_S;
	int64_t at = v->hour + whole, today = now / DAY_S, day = at / 24;
	struct money_sum *s = sum_of(d, v->currency);
	int hour = (int)(at % 24);
	if (!s)
		return;
	/* Earlier days only up to the hour that is running now. */
	bool so_far = hour <= now % DAY_S / HOUR_S;
	if (day == today && v->item == TALLY_REFUNDS) {
		s->refunds += v->n;
		s->refunded += v->amount;
	} else if (day == today) {
		s->orders += v->n;
		s->gross += v->amount;
		s->hour_gross[hour] += v->amount;
		s->hour_orders[hour] += v->n;
	} else if (v->item == TALLY_ORDERS && so_far && day == today - 1) {
		s->before += v->amount;
	} else if (v->item == TALLY_ORDERS && so_far && day == today - 7) {
		s->week_before += v->amount;
	}
}

/* Amounts of different currencies are never added; which is "biggest" goes by orders. */
void data_money(struct data *d, const struct view_money *v, size_t n)
{
	d->nmoney = 0;
	for (size_t i = 0; i < n; i++)
		add_money(d, &v[i]);
	qsort(d->money, d->nmoney, sizeof(d->money[0]), by_orders);
	d->has_money = true;
}

/* Figures -------------------------------------------------------------------------------------- */

static void add_pulse(const struct data *d, const struct pulse *p, struct figures *f)
{
	for (int i = 0; i < MINUTES; i++) {
		int m = (int)((d->minute - MINUTES + 1 + i) % MINUTES);
		for (int k = 0; k < DISP_COUNT; k++)
			f->disp[k] += p->n[m][k];
		f->routed += p->routed[m];
		f->line[i] += p->routed[m];
		f->bad[i] += p->n[m][DISP_REJECTED] + p->n[m][DISP_DEAD];
	}
	f->open += p->open[DISP_QUEUED] + p->open[DISP_RETRYING];
}

void data_figures(const struct data *d, int32_t pixel_id, int platform, struct figures *f)
{
	*f = (struct figures){.p50_ms = d->p50_ms, .p95_ms = d->p95_ms};
	if (d->minute < MINUTES)
		return;
	bool all = !pixel_id && platform < 0;
	const struct pulse *own = data_find_pulse(d, pixel_id);
	for (size_t i = 0; i < d->npulses; i++) {
		const struct pulse *p = &d->pulses[i];
		const struct view_pixel *px = p->pixel_id ? data_pixel(d, p->pixel_id) : NULL;
		if (!p->pixel_id || (pixel_id && p->pixel_id != pixel_id) ||
			(platform >= 0 && (!px || px->platform != platform)))
			continue;
		add_pulse(d, p, f);
	}
	if (all && own) { /* events, not deliveries */
		for (int i = 0; i < MINUTES; i++) {
			int m = (int)((d->minute - MINUTES + 1 + i) % MINUTES);
			f->line[i] = own->routed[m];
			f->events += own->routed[m];
		}
	} else if (pixel_id && own) {
		f->p50_ms = own->p50_ms;
		f->p95_ms = own->p95_ms;
	} else if (platform >= 0) {
		f->p50_ms = d->platform_p50[platform];
		f->p95_ms = d->platform_p95[platform];
	}
	f->sent = f->disp[DISP_DELIVERED] + f->disp[DISP_DELIVERED_WARNING];
	f->failed = f->disp[DISP_REJECTED] + f->disp[DISP_DEAD];
}

int64_t data_per_minute(const struct data *d, int64_t running, int64_t last)
{
	int64_t gone = d->now_us - d->minute * 60 * US_PER_S;
	gone = gone < 0 ? 0 : TA_MIN(gone, 60 * US_PER_S);
	int64_t rest = last * (60 * US_PER_S - gone);
	return running + (rest + 30 * US_PER_S) / (60 * US_PER_S);
}

int64_t data_rate(const struct data *d)
{
	const struct pulse *p = data_find_pulse(d, 0);
	if (!p || d->minute < MINUTES)
		return 0;
	return data_per_minute(
		d, p->routed[d->minute % MINUTES], p->routed[(d->minute - 1) % MINUTES]);
}

int figures_sent(const struct figures *f)
{
	int64_t all = f->sent + f->failed;
	return all > 0 ? (int)(f->sent * 1000 / all) : -1;
}

/* Problems ---------------------------------------------------------------------------------------
 */

bool beat_silent(const struct data *d, const struct view_beat *b)
{
	return d->now_us - b->at_us > SILENT_US;
}

static struct problem *add(struct problem out[PROBLEMS_MAX], size_t *n, enum problem_kind kind)
{
	if (*n == PROBLEMS_MAX)
		return NULL;
	struct problem *p = &out[(*n)++];
	*p = (struct problem){.kind = kind};
	return p;
}

/* A role is silent when none of its instances has been heard of lately. */
static bool role_heard(const struct data *d, const char *role)
{
	for (size_t i = 0; i < d->nbeats; i++)
		if (strcmp(d->beats[i].role, role) == 0 && !beat_silent(d, &d->beats[i]))
			return true;
	return false;
}

bool beat_gone(const struct data *d, const struct view_beat *b)
{
	return d->now_us - b->at_us > GONE_US && role_heard(d, b->role);
}

static void silent_roles(const struct data *d, struct problem out[PROBLEMS_MAX], size_t *n)
{
	for (size_t i = 0; i < d->nbeats; i++) {
		const struct view_beat *b = &d->beats[i];
		/* Instances of one role follow each other; the newest stands for all. */
		bool more = i + 1 < d->nbeats && strcmp(d->beats[i + 1].role, b->role) == 0;
		if (more || role_heard(d, b->role))
			continue;
		int64_t at = b->at_us;
		for (size_t k = 0; k < i; k++)
			if (strcmp(d->beats[k].role, b->role) == 0)
				at = TA_MAX(at, d->beats[k].at_us);
		struct problem *p = add(out, n, PB_SILENT);
		if (!p)
			return;
		char ago[16];
		format_span(d->now_us - at, ago);
		p->bad = true;
		snprintf(p->what, sizeof(p->what), "%s", b->role);
		snprintf(p->effect, sizeof(p->effect), "silent for %s", ago);
		snprintf(p->why, sizeof(p->why),
			"start it: trackai serve; why: trackai log --role %s", b->role);
	}
	if (d->has_beats && !d->nbeats) {
		struct problem *p = add(out, n, PB_SILENT);
		if (!p)
			return;
		p->bad = true;
		snprintf(p->what, sizeof(p->what), "serve");
		snprintf(p->effect, sizeof(p->effect), "has never run on this database");
		snprintf(p->why, sizeof(p->why), "start it: trackai up, or trackai serve");
	}
}

/* What most of its failures of the last hour say; NULL: there were none. */
static const struct view_fault *worst_fault(const struct data *d, int32_t pixel_id)
{
	const struct view_fault *best = NULL;
	for (size_t i = 0; i < d->nfaults; i++) {
		const struct view_fault *f = &d->faults[i];
		bool final = f->state != DISP_RETRYING,
		     before = best && best->state != DISP_RETRYING;
		if (f->pixel_id == pixel_id &&
			(!best || final > before || (final == before && f->n > best->n)))
			best = f;
	}
	return best;
}

static void name_pixel(const struct data *d, const struct view_pixel *px, struct problem *p)
{
	const struct view_store *st = data_store(d, px->store_id);
	p->pixel_id = px->id;
	const char *platform = platform_word(px->platform);
	bool told = strcmp(px->name, platform) == 0;
	snprintf(p->what, sizeof(p->what), "%s%s%s %s", px->name, told ? "" : " ",
		told ? "" : platform, st ? st->name : "");
}

static void paused_pixel(const struct data *d, const struct view_pixel *px,
	struct problem out[PROBLEMS_MAX], size_t *n)
{
	struct problem *p = add(out, n, PB_PAUSED);
	const struct pulse *pulse = data_find_pulse(d, px->id);
	char count[32], since[32];
	if (!p)
		return;
	name_pixel(d, px, p);
	const struct view_health *h = data_health(d, px->id);
	p->bad = h ? h->health.worst == HEALTH_CRIT : strcmp(px->reason, "operator") != 0;
	format_count(pulse ? pulse->open[DISP_QUEUED] + pulse->open[DISP_RETRYING] : 0, count);
	format_when(px->state_us, d->now_us, since);
	snprintf(p->effect, sizeof(p->effect), "paused since %s, %s waiting", since, count);
	snprintf(p->why, sizeof(p->why), "%s%s%s", px->reason, *px->detail ? ": " : "", px->detail);
}

/* How a pixel was judged then is not kept: what failed in the hour before is. */
static void failed_then(const struct data *d, const struct view_pixel *px,
	struct problem out[PROBLEMS_MAX], size_t *n)
{
	const struct view_fault *f = worst_fault(d, px->id);
	struct figures g;
	char failed[32], all[32];
	data_figures(d, px->id, -1, &g);
	struct problem *p = f && g.failed ? add(out, n, PB_SICK) : NULL;
	if (!p)
		return;
	name_pixel(d, px, p);
	format_count(g.failed, failed);
	format_count(g.failed + g.sent, all);
	snprintf(p->effect, sizeof(p->effect), "%s of %s failed in the hour before", failed, all);
	snprintf(p->why, sizeof(p->why), "%s%s%s", reason_word(f->reason), *f->message ? ": " : "",
		f->message);
}

/* As the folder judged it (src/health.h); the platform's own words tell more than ours. */
static void sick_pixel(const struct data *d, const struct view_pixel *px,
	struct problem out[PROBLEMS_MAX], size_t *n)
{
	const struct view_health *h = data_health(d, px->id);
	if (d->at_us)
		failed_then(d, px, out, n);
	if (!h || h->health.worst < HEALTH_WARN)
		return;
	struct problem *p = add(out, n, PB_SICK);
	if (!p)
		return;
	const struct view_fault *f = worst_fault(d, px->id);
	const struct health_judged *part = &h->health.part[h->health.cause];
	bool sending = h->health.cause != HEALTH_FRESHNESS && h->health.cause != HEALTH_VOLUME &&
		       h->health.cause != HEALTH_LEDGER;
	name_pixel(d, px, p);
	p->bad = h->health.worst == HEALTH_CRIT;
	snprintf(p->effect, sizeof(p->effect), "%.110s", part->why);
	if (f && sending)
		snprintf(p->why, sizeof(p->why), "%s%s%s", reason_word(f->reason),
			*f->message ? ": " : "", f->message);
	else
		snprintf(p->why, sizeof(p->why), "%s", health_word(h->health.cause));
}

static int by_weight(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;
	if (x->bad != y->bad)
		return x->bad ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->pixel_id < y->pixel_id ? -1 : x->pixel_id > y->pixel_id;
}

static void failed_receipts(const struct data *d, struct problem out[PROBLEMS_MAX], size_t *n)
{
	const struct pulse *all = data_find_pulse(d, 0);
	int64_t count = 0;
	for (int i = 0; all && i < MINUTES; i++)
		count += all->failed[i];
	struct problem *p = count > 0 ? add(out, n, PB_RECEIPTS) : NULL;
	if (!p)
		return;
	char text[32];
	format_count(count, text);
	snprintf(p->what, sizeof(p->what), "receipts");
	snprintf(p->effect, sizeof(p->effect), "%s in the last hour could not become events", text);
	snprintf(p->why, sizeof(p->why), "kept, can be replayed after a fix");
}

size_t data_problems(const struct data *d, struct problem out[PROBLEMS_MAX])
{
	size_t n = 0;
	silent_roles(d, out, &n);
	for (size_t i = 0; i < d->npixels; i++)
		if (d->pixels[i].held)
			paused_pixel(d, &d->pixels[i], out, &n);
		else
			sick_pixel(d, &d->pixels[i], out, &n);
	failed_receipts(d, out, &n);
	for (size_t i = 0; i < d->nstores; i++) {
		struct problem *p = d->stores[i].uninstalled ? add(out, &n, PB_UNINSTALLED) : NULL;
		if (!p)
			continue;
		snprintf(p->what, sizeof(p->what), "store %s", d->stores[i].name);
		snprintf(p->effect, sizeof(p->effect), "the shop removed the app");
		snprintf(p->why, sizeof(p->why), "no webhooks come any more");
	}
	qsort(out, n, sizeof(*out), by_weight);
	return n;
}
