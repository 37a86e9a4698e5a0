/* Channels of visits: Google's default channel group, case by case, and our additions. */
#include "src/channel.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* tests/golden/channel/ga4.csv: 40 cases with the channel each has in Analytics 4, worked out from
 * Google's definitions. */
static void golden(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct csv csv;
	const char *cells[CSV_MAX_CELLS];
	char text[8192];
	size_t n, cases = 0;
	FILE *f = fopen(TA_TESTS "/golden/channel/ga4.csv", "r");
	assert_non_null(f);
	csv_open(&csv, text, fread(text, 1, sizeof(text), f));
	fclose(f);
	assert_int_equal(csv_next(&csv, &a, cells, &n, NULL), TA_OK);
	while (csv_next(&csv, &a, cells, &n, NULL) == TA_OK && n == 4) {
		struct channel_visit v = {
			.source = cells[0], .medium = cells[1], .campaign = cells[2]};
		if (channel_ga4(&v) != (enum channel)channel_named(cells[3]))
			fail_msg("line %zu: %s / %s / %s is %s, not %s", csv.line, cells[0],
				cells[1], cells[2], cells[3], channel_word((int)channel_ga4(&v)));
		cases++;
	}
	assert_int_equal(cases, 40);
	arena_release(&a);
}

static enum channel ours(struct channel_visit v)
{
	return channel_of(&v);
}

static void additions(void **state)
{
	(void)state;
	struct channel_visit pin = {.source = "pin.it", .medium = "referral"};
	struct channel_visit ask = {.source = "ChatGPT.com", .medium = "referral"};
	assert_int_equal(channel_ga4(&pin), CHANNEL_REFERRAL);
	assert_int_equal(channel_of(&pin), CHANNEL_ORGANIC_SOCIAL);
	assert_int_equal(channel_ga4(&ask), CHANNEL_REFERRAL);
	assert_int_equal(channel_of(&ask), CHANNEL_AI_ASSISTANT);
	assert_int_equal(ours((struct channel_visit){.epik = true}), CHANNEL_PAID_SOCIAL);
	assert_int_equal(ours((struct channel_visit){
				 .ttclid = true, .source = "tiktok.com", .medium = "referral"}),
		CHANNEL_PAID_SOCIAL);
	/* Links in posts carry an fbclid too: what the shop says of the visit weighs more. */
	assert_int_equal(ours((struct channel_visit){.fbclid = true}), CHANNEL_PAID_SOCIAL);
	assert_int_equal(ours((struct channel_visit){
				 .fbclid = true, .source = "facebook.com", .medium = "social"}),
		CHANNEL_ORGANIC_SOCIAL);
	assert_int_equal(ours((struct channel_visit){0}), CHANNEL_DIRECT);
}

static void quirks(void **state)
{
	(void)state;
	struct channel_visit v = {.source = "partner", .medium = "e-mail"};
	static const struct {
		const char *campaign;
		enum channel channel;
	} cases[] = {
		{"shop", CHANNEL_ORGANIC_SHOPPING},
		{"eshop", CHANNEL_ORGANIC_SHOPPING},
		{"summer-shop", CHANNEL_ORGANIC_SHOPPING},
		{"workshop", CHANNEL_EMAIL},
		{"workshop shop", CHANNEL_ORGANIC_SHOPPING},
		{"window-SHOPPING", CHANNEL_ORGANIC_SHOPPING},
		{"sho", CHANNEL_EMAIL},
		{"", CHANNEL_EMAIL},
		{NULL, CHANNEL_EMAIL},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		v.campaign = cases[i].campaign;
		if (channel_ga4(&v) != cases[i].channel)
			fail_msg("%s: %s", cases[i].campaign, channel_word((int)channel_ga4(&v)));
	}
}

/* The list of sites is searched by halves: one that is out of its place would never be found. */
static void sorted(void **state)
{
	(void)state;
	static const char *const names[] = {
#define SOURCE(name, category) name,
#include "src/sources.def"
#undef SOURCE
	};
	for (size_t i = 1; i < TA_COUNT(names); i++)
		if (strcmp(names[i - 1], names[i]) >= 0)
			fail_msg("%s stands behind %s", names[i], names[i - 1]);
	assert_true(TA_COUNT(names) > 800);
}

static void names(void **state)
{
	(void)state;
	assert_true(channel_paid("pinterest/CPC") && channel_paid("Paid Social"));
	assert_true(channel_paid("Display") && !channel_paid("email") && !channel_paid("paid"));
	assert_true(channel_direct("Direct") && channel_direct("(direct)"));
	assert_false(channel_direct("directory"));
	for (int i = 0; i < CHANNEL_COUNT; i++)
		assert_int_equal(channel_named(channel_word(i)), i);
	assert_int_equal(channel_named("nothing"), -1);
	assert_string_equal(channel_word(CHANNEL_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(additions),
		cmocka_unit_test(quirks),
		cmocka_unit_test(sorted),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
