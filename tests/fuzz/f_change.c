/* Any rule's action on any document, "action argument" in the first line: what comes out is built
 * twice the same, its id and time stay, every field of it is known to the tables of provenance, and
 * what fails says why. */
#include "net/dest.h"
#include "src/arena.h"
#include "src/err.h"
#include "src/provenance.h"
#include "src/rule_action_apply.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send(
	struct arena *a, const struct rule_act *act, const struct event *in, enum platform_id p)
{
	const struct dest_config cfg = {.content_id = "sku"};
	struct buf one = BUF_INIT(8 << 20), two = BUF_INIT(8 << 20), why = BUF_INIT(4096);
	struct event out, again;
	struct ta_err err = {0};
	struct provenance *lines = NULL;

	enum ta_rc rc = rule_action_apply(a, act, p, in, &out, &err);
	TA_ASSERT((rc != TA_OK) == (err.msg[0] != '\0'));
	TA_ASSERT(rc == rule_action_apply(a, act, p, in, &again, NULL));
	if (!rc) {
		TA_ASSERT(out.time_s == in->time_s && out.event_id == in->event_id);
		TA_ASSERT(out.consent == in->consent && out.test == in->test);
		dest_get(p)->event(&one, &out, "wire-id", &cfg);
		dest_get(p)->event(&two, &again, "wire-id", &cfg);
		TA_ASSERT(one.over || strcmp(buf_str(&one), buf_str(&two)) == 0);
		const struct provenance_case c = {.platform = p,
			.ev = in,
			.act = act,
			.content_id = "sku",
			.json = buf_str(&one),
			.len = one.len};
		/* as the dispatcher does: what the platform would refuse is never sent */
		bool sent = dest_get(p)->check(&out, &cfg, out.time_s, &why) == REASON_NONE;
		size_t n = one.over || !sent ? 0 : provenance_of(&c, a, &lines);
		for (size_t i = 0; i < n; i++) {
			TA_ASSERT(lines[i].known);
			TA_ASSERT(*provenance_text(a, &lines[i]));
		}
	}
	buf_release(&one);
	buf_release(&two);
	buf_release(&why);
}

/* The line "action argument" at text, and the document behind it. */
static void change(struct arena *a, const char *text, const char *blank, const char *end)
{
	struct event ev;
	struct rule_act act;
	const char *word = arena_strndup(a, text, (size_t)(blank - text));
	const char *with = arena_strndup(a, blank + 1, (size_t)(end - blank - 1));

	if (rule_action_parse(a, word, with, &act, NULL, NULL) != TA_OK)
		return;
	(void)!rule_action_check(&act, -1, NULL);
	if (event_read(a, end + 1, strlen(end + 1), &ev, NULL) == TA_OK)
		for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++)
			send(a, &act, &ev, (enum platform_id)p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	const char *text = arena_strndup(&a, (const char *)data, TA_MIN(size, (size_t)65536));
	const char *end = strchr(text, '\n'), *blank = strchr(text, ' ');

	if (end && blank && blank < end)
		change(&a, text, blank, end);
	arena_release(&a);
	return 0;
}
