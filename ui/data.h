/* What the console knows: the rows of db/view.h as last read, and the figures derived from them.
 * No connection and no terminal here: tests fill the rows by hand. */
#ifndef UI_DATA_H
#define UI_DATA_H

#include "db/view.h"
#include "db/view_ops.h"
#include "src/arena.h"
#include "src/words.h"

#include <stdint.h>

#define MINUTES 60
#define HOURS   24

/* Two arenas per set of rows: a reload decodes into the other one and swaps. */
struct twin {
	struct arena a[2];
	int cur;
};
struct arena *twin_next(struct twin *t); /* the other arena, emptied; becomes the current one */

/* A pixel's last hour. Index of a minute: minute % MINUTES. */
struct pulse {
	int32_t pixel_id; /* 0: the stores' counts */
	int32_t n[MINUTES][DISP_COUNT];
	int32_t routed[MINUTES]; /* pixel 0: events */
	int32_t failed[MINUTES]; /* pixel 0: failed receipts */
	int64_t p50_ms, p95_ms;  /* receipt to final verdict, -1: nothing final */
	int64_t open[3];         /* queued, held, retrying: now, from the ledger */
};

/* Sums over pulses and minutes. */
struct figures {
	int64_t events, routed;
	int64_t disp[DISP_COUNT];
	int64_t sent, failed, open; /* delivered + warning; rejected + dead; queued + retrying */
	int64_t p50_ms, p95_ms;
	int64_t line[MINUTES], bad[MINUTES]; /* oldest first */
};

struct money_sum {
	char currency[4];
	int64_t orders, gross, refunds, refunded;
	int64_t hour_gross[HOURS]; /* of the local day, per currency */
	int64_t hour_orders[HOURS];
	int64_t before;      /* gross of yesterday up to the same time of day */
	int64_t week_before; /* the same, seven days ago */
};
#define MONEY_MAX 16

enum problem_kind { PB_SILENT, PB_PAUSED, PB_SICK, PB_RECEIPTS, PB_UNINSTALLED };
struct problem {
	enum problem_kind kind;
	bool bad;         /* else a warning */
	int32_t pixel_id; /* 0: none */
	char what[96], effect[120], why[200];
};
#define PROBLEMS_MAX 64

struct data {
	int64_t now_us;
	int64_t at_us; /* the moment that is looked at (ui/at.h), then now_us too; 0: now */
	bool slow;     /* a figure of that moment took too long to read */
	bool has_counts, has_catalogue, has_beats, has_money, has_faults, has_last;
	struct twin stores_mem, pixels_mem, beats_mem, faults_mem, last_mem;
	struct view_store *stores;
	struct view_pixel *pixels;
	struct view_beat *beats;
	struct view_fault *faults;
	struct view_last *last;
	size_t nstores, npixels, nbeats, nfaults, nlast;

	/* Operations. */
	bool has_health, has_alerts, has_book, has_unbalanced;
	struct twin health_mem, alerts_mem, circuits_mem, book_mem, unbalanced_mem;
	struct view_health *health; /* by pixel */
	struct view_alert *alerts;  /* open ones first */
	struct view_circuit *circuits;
	struct view_book *book;
	struct ledger_fault *unbalanced;
	size_t nhealth, nalerts, ncircuits, nbook, nunbalanced;

	struct pulse *pulses; /* the stores' first, then one per pixel that was seen */
	size_t npulses, pulses_size;
	int64_t minute; /* newest minute of the pulses */
	int64_t platform_p50[PLATFORM_COUNT], platform_p95[PLATFORM_COUNT], p50_ms, p95_ms;

	struct money_sum money[MONEY_MAX]; /* biggest first */
	size_t nmoney;
};

void data_release(struct data *d);
/* Forgets everything but the catalogue: another moment is looked at. */
void data_forget(struct data *d);

const struct view_store *data_store(const struct data *d, int32_t id); /* NULL: unknown */
const struct view_pixel *data_pixel(const struct data *d, int32_t id);
const struct view_health *data_health(
	const struct data *d, int32_t pixel_id); /* NULL: not judged */
const struct view_circuit *data_circuit(const struct data *d, int32_t pixel_id); /* NULL: closed */
const struct view_last *data_last(const struct data *d, int32_t pixel_id);
struct pulse *data_pulse(struct data *d, int32_t pixel_id);                  /* made when missing */
const struct pulse *data_find_pulse(const struct data *d, int32_t pixel_id); /* NULL: none */

/* Moves the hour on to `minute`: minutes that are new start empty. */
void data_minute(struct data *d, int64_t minute);
/* Takes counts from `from_minute` on: those minutes are replaced. */
void data_counts(struct data *d, const struct view_count *v, size_t n, int64_t from_minute);
/* Latency bins ordered by pixel. */
void data_latency(struct data *d, const struct view_count *v, size_t n);
void data_ledger(struct data *d, const struct view_count *v, size_t n);
void data_money(struct data *d, const struct view_money *v, size_t n);

/* Figures of the last hour: of one pixel, of a platform, of everything (pixel 0, platform -1). */
void data_figures(const struct data *d, int32_t pixel_id, int platform, struct figures *f);
/* Events per minute over the last 60 seconds. */
int64_t data_rate(const struct data *d);
/* What the last 60 seconds counted: the running minute, and of the one before it the part that
 * still lies within them. */
int64_t data_per_minute(const struct data *d, int64_t running, int64_t last);
/* Share of final deliveries that the platform took, in tenths of a percent; -1: none final. */
int figures_sent(const struct figures *f);

/* What needs a person, worst first. */
size_t data_problems(const struct data *d, struct problem out[PROBLEMS_MAX]);
bool beat_silent(const struct data *d, const struct view_beat *b);
/* An instance that was replaced: silent for long while another of its role is heard. */
bool beat_gone(const struct data *d, const struct view_beat *b);

#endif
