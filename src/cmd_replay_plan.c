/* What a replay's plan says, for people and for programs. */
#include "src/clock.h"
#include "src/cmd_out.h"
#include "src/cmd_replay.h"

#include <stdio.h>
#include <string.h>

/* JSON ------------------------------------------------------------------------------------------
 */

static json_t *fates_json(const struct replay_pixel *px)
{
	json_t *o = json_object();
	for (int f = 0; f < REPLAY_FATES; f++)
		if (f != REPLAY_SEND && px->fates[f])
			json_object_set_new(o, replay_fate_word((enum replay_fate)f),
				json_integer(px->fates[f]));
	return o;
}

static json_t *states_json(const struct replay_pixel *px)
{
	json_t *o = json_object();
	for (int i = 0; i < DISP_COUNT; i++)
		if (px->states[i])
			json_object_set_new(o, disposition_word(i), json_integer(px->states[i]));
	return o;
}

static json_t *pixel_json(const struct replay_pixel *px)
{
	json_t *fields = json_array();
	for (size_t i = 0; i < px->nfields; i++)
		json_array_append_new(fields, json_pack("{s:s, s:I}", "field", px->fields[i].path,
						      "deliveries", (json_int_t)px->fields[i].n));
	return json_pack("{s:o, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
			 "s:o}",
		"id", out_id(px->id), "store", px->store, "pixel", px->name, "platform",
		platform_get(px->platform)->word, "held", px->held, "chosen",
		(json_int_t)px->chosen, "send", (json_int_t)px->fates[REPLAY_SEND], "changed",
		(json_int_t)px->changed, "same", (json_int_t)px->same, "first",
		(json_int_t)px->first, "counted_twice", (json_int_t)px->twice, "merged",
		(json_int_t)px->merged, "left_out", fates_json(px), "were", states_json(px),
		"fields", fields);
}

static json_t *example_json(const struct replay_example *x)
{
	const struct replay_item *it = x->item;
	bool becomes =
		it->fate == REPLAY_DROPPED || it->fate == REPLAY_UNFIT || it->fate == REPLAY_LATE;
	json_t *changes = json_array();
	for (size_t i = 0; i < x->nchanges; i++)
		json_array_append_new(changes,
			json_pack("{s:s, s:o, s:o}", "field", x->changes[i].path, "was",
				x->changes[i].was
					? out_text(x->changes[i].was, strlen(x->changes[i].was))
					: json_null(),
				"now",
				x->changes[i].now
					? out_text(x->changes[i].now, strlen(x->changes[i].now))
					: json_null()));
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:o}", "event",
		out_id(it->event_id), "name", x->event_name, "label", x->label, "pixel", x->pixel,
		"received_at", out_time(x->received_us), "fate",
		replay_fate_word((enum replay_fate)it->fate), "disposition",
		disposition_word(it->state), "reason", reason_word(it->why), "becomes",
		becomes ? reason_word(it->reason) : "", "why", x->words, "changes", changes);
}

json_t *replay_plan_json(const struct replay_ask *ask, const struct replay_plan *plan)
{
	json_t *pixels = json_array(), *examples = json_array();
	int64_t changed = 0;
	for (size_t i = 0; i < plan->npixels; i++) {
		json_array_append_new(pixels, pixel_json(&plan->pixels[i]));
		changed += plan->pixels[i].changed;
	}
	for (size_t i = 0; i < plan->nexamples; i++)
		json_array_append_new(examples, example_json(&plan->examples[i]));
	return json_pack("{s:b, s:s, s:o, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "complete",
		!plan->stopped, "versions", ask->mode == REPLAY_PINNED ? "pinned" : "current",
		"rev", out_id(plan->rev), "rate", (int)ask->rate, "events",
		(json_int_t)plan->events, "chosen", (json_int_t)plan->chosen, "send",
		(json_int_t)plan->send, "changed", (json_int_t)changed, "left_out",
		(json_int_t)(plan->chosen - plan->send), "counted_twice", (json_int_t)plan->twice,
		"pixels", pixels, "examples", examples);
}

/* Text ------------------------------------------------------------------------------------------
 */

static void print_pixels(const struct replay_plan *plan)
{
	struct out_table o = {0};
	const char *const heads[] = {"store", "pixel", "chosen", "left out", "send", "changed",
		"same", "never sent", "counted twice"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&o, heads[i]);
	for (size_t i = 0; i < plan->npixels; i++) {
		const struct replay_pixel *px = &plan->pixels[i];
		const int64_t n[] = {px->chosen, px->chosen - px->fates[REPLAY_SEND],
			px->fates[REPLAY_SEND], px->changed, px->same, px->first, px->twice};
		out_cell(&o, px->store);
		out_cell(&o, px->name);
		for (size_t k = 0; k < TA_COUNT(n); k++)
			out_cellf(&o, "%lld", (long long)n[k]);
	}
	out_print(&o);
}

static const char *fate_words(enum replay_fate f)
{
	static const char *const words[REPLAY_FATES] = {"to be sent", "not final yet",
		"in another replay", "older than the platform takes",
		"delivered, would be counted twice", "not to be sent by its rules",
		"would be rejected", "document or settings not kept", "pixel deleted"};
	return words[f];
}

static void print_left(const struct replay_plan *plan)
{
	for (int f = 0; f < REPLAY_FATES; f++) {
		int64_t n = 0;
		for (size_t i = 0; i < plan->npixels; i++)
			n += f == REPLAY_SEND ? 0 : plan->pixels[i].fates[f];
		if (n)
			printf("left out: %lld %s\n", (long long)n,
				fate_words((enum replay_fate)f));
	}
}

static void print_states(const struct replay_plan *plan)
{
	const char *sep = "now: ";
	for (int s = 0; s < DISP_COUNT; s++) {
		int64_t n = 0;
		for (size_t i = 0; i < plan->npixels; i++)
			n += plan->pixels[i].states[s];
		if (!n)
			continue;
		printf("%s%lld %s", sep, (long long)n, disposition_word(s));
		sep = ", ";
	}
	if (*sep == ',')
		putchar('\n');
}

static void print_fields(const struct replay_plan *plan)
{
	struct out_table o = {0};
	out_head(&o, "pixel");
	out_head(&o, "field that differs from last time");
	out_head(&o, "deliveries");
	for (size_t i = 0; i < plan->npixels; i++)
		for (size_t k = 0; k < plan->pixels[i].nfields && k < 12; k++) {
			out_cell(&o, plan->pixels[i].name);
			out_cell(&o, plan->pixels[i].fields[k].path);
			out_cellf(&o, "%lld", (long long)plan->pixels[i].fields[k].n);
		}
	if (o.nrows)
		out_print(&o);
	else
		out_free(&o);
}

static void print_example(struct out_table *o, const struct replay_example *x)
{
	const struct replay_item *it = x->item;
	char text[500];
	out_cellf(o, "%lld", (long long)it->event_id);
	out_cell(o, x->event_name);
	out_cell(o, x->label);
	out_cell(o, x->pixel);
	out_cellf(o, "%s%s%s", disposition_word(it->state), it->why ? ": " : "",
		it->why ? reason_word(it->why) : "");
	out_cell(o,
		it->fate == REPLAY_SEND ? "changed" : replay_fate_word((enum replay_fate)it->fate));
	if (it->fate != REPLAY_SEND)
		out_cell(o, x->words);
	else if (x->nchanges) {
		snprintf(text, sizeof(text), "%s: %.120s -> %.120s", x->changes[0].path,
			x->changes[0].was ? x->changes[0].was : "(none)",
			x->changes[0].now ? x->changes[0].now : "(none)");
		out_cell(o, text);
	} else
		out_cell(o, "built by another version of the program");
}

static void print_examples(const struct replay_plan *plan)
{
	struct out_table o = {0};
	const char *const heads[] = {
		"for example", "name", "label", "pixel", "now", "would be", "what"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&o, heads[i]);
	for (size_t i = 0; i < plan->nexamples; i++)
		print_example(&o, &plan->examples[i]);
	if (o.nrows)
		out_print(&o);
	else
		out_free(&o);
}

static void print_warnings(const struct replay_ask *ask, const struct replay_plan *plan)
{
	for (size_t i = 0; i < plan->npixels; i++) {
		const struct replay_pixel *px = &plan->pixels[i];
		const struct platform *pf = platform_get(px->platform);
		if (px->twice)
			printf("warning: %s/%s was sent %lld of them more than %lld h ago: %s "
			       "would count them twice\n",
				px->store, px->name, (long long)px->twice,
				(long long)pf->dedup_s / 3600, pf->title);
		if (px->merged)
			printf("note: %s/%s took %lld of them less than %lld h ago: %s drops "
			       "what comes again under the same event id\n",
				px->store, px->name, (long long)px->merged,
				(long long)pf->dedup_s / 3600, pf->title);
		if (px->held)
			printf("note: %s/%s is held: its part waits for the release\n", px->store,
				px->name);
	}
	if (ask->rate && plan->send)
		printf("at %d a second and pixel\n", (int)ask->rate);
}

void replay_plan_print(const struct replay_ask *ask, const struct replay_plan *plan)
{
	printf("%lld deliveries of %lld events, %lld to be sent under %s\n",
		(long long)plan->chosen, (long long)plan->events, (long long)plan->send,
		ask->mode == REPLAY_PINNED ? "the versions they were sent with"
					   : "the rules and settings in force now");
	if (!plan->chosen)
		return;
	print_states(plan);
	print_left(plan);
	print_pixels(plan);
	print_fields(plan);
	print_examples(plan);
	print_warnings(ask, plan);
}
