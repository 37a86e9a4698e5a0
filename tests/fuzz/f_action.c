/* Any text as a rule's action: the first line its word (or a digit that numbers it), the rest its
 * argument. It is refused with a sentence and a place inside the text, or read; what was read reads
 * again as itself. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule_action.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, const char *word, const char *with)
{
	struct rule_act act, again;
	struct ta_err err = {0};
	size_t at = 0;
	if (rule_action_parse(a, word, with, &act, &at, &err)) {
		TA_ASSERT(err.msg[0] && err.field[0] && at <= strlen(with));
		return;
	}
	TA_ASSERT(strlen(act.with) <= RULE_WITH_MAX && act.nterms <= RULE_TERMS_MAX);
	TA_ASSERT(act.ppm <= RULE_PPM && act.hold_us >= 0);
	TA_ASSERT(rule_action_parse(a, word, act.with, &again, NULL, &err) == TA_OK);
	TA_ASSERT(strcmp(again.with, act.with) == 0 && again.nterms == act.nterms);
	struct buf b = BUF_INIT(2 * RULE_WITH_MAX);
	rule_action_print(&act, &b);
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	const char *text = arena_strndup(&a, (const char *)data, size);
	size_t n = strcspn(text, "\n");
	const char *word = arena_strndup(&a, text, n), *with = text[n] ? text + n + 1 : "";
	if (word[0] >= '0' && word[0] <= '7')
		word = rule_action_rows[word[0] - '0'].word;
	check(&a, word, with);
	arena_release(&a);
	return 0;
}
