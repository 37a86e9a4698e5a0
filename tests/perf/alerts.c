/* How often the alert rules cry wolf and how long they take, in numbers that bench_alerts judges.
 * Without an argument: the burn rule over simulated streams. With a file of invoices (UCI online
 * retail: invoice,ts,customer,country,total,units,lines,kind): silence and loss over real orders.
 */
#include "src/baseline.h"
#include "src/burn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOT_MIN  5
#define SLOTS     (200 * 288) /* 200 days */
#define DAY_SLOTS 288
#define TRIALS    201
#define ORDERS    40000

static uint64_t seed = 88172645463325252ULL;

/* xorshift64 (Marsaglia 2003): the same stream in every run. */
static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static int poisson(double mean)
{
	double end = exp(-mean), p = uniform();
	int k = 0;
	for (; p > end; k++)
		p *= uniform();
	return k;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* The burn rule -------------------------------------------------------------------------------- */

static struct burn_count slots[SLOTS];

static void fill(int from, int to, double per_hour, double failing)
{
	for (int i = from; i < to; i++) {
		int n = poisson(per_hour * SLOT_MIN / 60), failed = 0;
		for (int k = 0; k < n; k++)
			failed += uniform() < failing;
		slots[i] = (struct burn_count){n, failed};
	}
}

static struct burn_count window(const void *data, int minutes)
{
	const int *at = data;
	struct burn_count c = {0, 0};
	for (int i = *at; i >= 0 && i > *at - minutes / SLOT_MIN; i--) {
		c.n += slots[i].n;
		c.failed += slots[i].failed;
	}
	return c;
}

static double false_alarms(double per_hour)
{
	int alarms = 0, last = -SLOTS, at = BURN_LONGEST_MIN / SLOT_MIN;
	double days = (double)(SLOTS - at) / DAY_SLOTS;
	fill(0, SLOTS, per_hour, 0.004);
	for (; at < SLOTS; at++) {
		if (!burn_judge(0.99, window, &at).level)
			continue;
		alarms += at - last > 72; /* those within six hours are one */
		last = at;
	}
	return alarms * 30 / days;
}

static double minutes_to_alert(double per_hour, double failing)
{
	static double took[TRIALS];
	for (size_t t = 0; t < TRIALS; t++) {
		int began = 900 + (int)(uniform() * DAY_SLOTS), at = began;
		fill(0, began, per_hour, 0.004);
		fill(began, began + 900, per_hour, failing);
		while (at < began + 900 && !burn_judge(0.99, window, &at).level)
			at++;
		took[t] = (at - began + 1) * SLOT_MIN;
	}
	return median(took, TRIALS);
}

static void simulate(void)
{
	static const double rates[] = {2, 10, 60, 600};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		double wolf = false_alarms(rates[i]);
		printf("burn %g %.2f", rates[i], wolf);
		printf(" %g", minutes_to_alert(rates[i], 0.1));
		printf(" %g", minutes_to_alert(rates[i], 0.3));
		printf(" %g\n", minutes_to_alert(rates[i], 1));
	}
}

/* Real orders -----------------------------------------------------------------------------------
 */

static int64_t orders[ORDERS];
static size_t norders;
static int64_t first_hour, nhours;
static int32_t *counts;
static struct baseline *baselines; /* as known at the beginning of each hour */

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void read_orders(const char *path)
{
	char line[400];
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && norders < ORDERS) {
		struct tm t = {0};
		const char *comma = strchr(line, ',');
		if (strstr(line, ",order") && comma && strptime(comma + 1, "%Y-%m-%d %H:%M:%S", &t))
			orders[norders++] = timegm(&t);
	}
	if (!f || norders < 2) {
		fprintf(stderr, "perf_alerts: no orders in %s\n", path);
		exit(1);
	}
	(void)fclose(f);
	qsort(orders, norders, sizeof(*orders), by_time);
	first_hour = orders[0] / 3600;
	nhours = orders[norders - 1] / 3600 + 1 - first_hour;
	counts = calloc((size_t)nhours, sizeof(*counts));
	baselines = calloc((size_t)nhours + 1, sizeof(*baselines));
	if (!counts || !baselines)
		exit(1);
	for (size_t i = 0; i < norders; i++)
		counts[orders[i] / 3600 - first_hour]++;
	for (int64_t h = 0; h <= nhours; h++)
		baseline_build(&baselines[h], counts, (size_t)h, first_hour + h);
}

static const struct baseline *known_at(int64_t s)
{
	return &baselines[s / 3600 - first_hour];
}

/* The hour behind an order with eight weeks before it and two behind. */
static size_t some_order(void)
{
	for (;;) {
		size_t i = (size_t)(uniform() * (double)norders);
		int64_t h = orders[i] / 3600 - first_hour;
		if (h >= BASELINE_HOURS && h < nhours - 14 * 24)
			return i;
	}
}

static void silence(void)
{
	static double took[TRIALS];
	int wolf = 0, naive = 0;
	double days = (double)(nhours - BASELINE_HOURS) / 24;
	for (size_t i = 0; i + 1 < norders; i++) {
		int64_t t = orders[i], next = orders[i + 1];
		if (t / 3600 - first_hour < BASELINE_HOURS)
			continue;
		naive += next - t > 3600;
		for (; t < next; t += 300)
			if (baseline_silent(known_at(t), orders[i], t, 0))
				break;
		wolf += t < next;
	}
	for (size_t i = 0; i < TRIALS; i++) {
		int64_t from = orders[some_order()], t = from;
		while (!baseline_silent(known_at(from), from, t, 0))
			t += 300;
		took[i] = (double)(t - from) / 3600;
	}
	printf("silence %.2f %.2f %.2f\n", wolf * 30 / days, naive * 30 / days,
		median(took, TRIALS));
}

static double part(int64_t hour, double kept)
{
	int n = 0;
	for (int64_t h = hour; h < hour + BASELINE_PART_H && h < nhours; h++)
		for (int k = 0; k < counts[h]; k++)
			n += uniform() < kept;
	return n;
}

static double expected(const struct baseline *b, int64_t hour)
{
	int64_t from = (first_hour + hour) * 3600;
	return baseline_expected(b, from, from + INT64_C(3600) * BASELINE_PART_H);
}

static void loss(void)
{
	static double took[TRIALS];
	int wolf = 0;
	double sum = 0, days = (double)(nhours - BASELINE_HOURS) / 24;
	for (int64_t h = BASELINE_HOURS; h + BASELINE_PART_H <= nhours; h += BASELINE_PART_H) {
		const struct baseline *b = &baselines[h];
		sum = baseline_loss(b, sum, part(h, 1), expected(b, h));
		if (sum > BASELINE_LOSS) {
			wolf++;
			sum = 0;
		}
	}
	for (size_t i = 0; i < TRIALS; i++) {
		int64_t from = orders[some_order()], began = from / 3600 - first_hour;
		int64_t h = began - began % BASELINE_PART_H;
		const struct baseline *b = &baselines[h];
		for (sum = 0; sum <= BASELINE_LOSS && h < nhours; h += BASELINE_PART_H)
			sum = baseline_loss(b, sum, part(h, 0.5), expected(b, h));
		took[i] = (double)((first_hour + h) * 3600 - from) / 3600;
	}
	printf("loss %.2f %.1f\n", wolf * 30 / days, median(took, TRIALS));
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		simulate();
		return 0;
	}
	read_orders(argv[1]);
	silence();
	loss();
	free(counts);
	free(baselines);
	return 0;
}
