/* Keys to requests, by the rows of ui/keys.def. */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum key_context {
	K_OVERVIEW = 1,
	K_HEALTH = 2,
	K_EVENTS = 4,
	K_REVENUE = 8,
	K_INSPECT = 16,
	K_HELP = 32,
	K_STORES = 64,
	K_PIXELS = 128,
	K_RULES = 256,
	K_FORM = 512,
	K_MERGE = 1024,     /* two operators' versions are on view */
	K_PICK = 2048,      /* beside K_MERGE: one of them can be chosen, the row is not deleted */
	K_MERGED = 4096,    /* beside K_FORM: there are two versions */
	K_REVIEW = 1 << 16, /* what a form would change */
	K_VERSIONS = 1 << 17, /* what a row said before */
	K_BACKTEST = 1 << 18,
	K_RULE_FORM = 1 << 19,  /* beside K_FORM and K_REVIEW: of a rule */
	K_SEND = 1 << 20,       /* a test send */
	K_PIXEL_FORM = 1 << 21, /* beside K_FORM: of a pixel */
	K_REPLAY = 1 << 23,     /* a replay: its plan, then how far it is */
	K_LETTERS = 1 << 22,    /* what waits, what is dead */
	K_LEDGER = 1 << 24,
	K_ALERTS = 1 << 25,
	K_ALL = 511 | K_VERSIONS | K_BACKTEST | K_SEND | K_LETTERS | K_REPLAY | K_LEDGER |
		K_ALERTS, /* wherever letters are commands */
	K_VIEWS = K_OVERVIEW | K_HEALTH | K_EVENTS | K_REVENUE | K_LEDGER | K_ALERTS,
	K_TABLES = K_STORES | K_PIXELS | K_RULES,
	K_TYPING = K_FORM | K_REVIEW | K_RULE_FORM /* letters are text */
};

enum req {
	REQ_NONE,
#define REQ(name, contexts, keys, footer, help) REQ_##name,
#include "ui/keys.def"
#undef REQ
	REQ_COUNT
};

/* The request of a key (ui/term.h) in a context; REQ_NONE when it has none there. */
enum req key_request(int key, unsigned context);
/* The nth request that works in the context, REQ_NONE behind the last. */
enum req key_nth(unsigned context, int n);
unsigned key_contexts(enum req r);
const char *key_names(enum req r); /* "j Down" */
/* The request's name for the `:` line: "page-down". */
#define KEY_WORD 24
void key_word(enum req r, char out[KEY_WORD]);
const char *key_footer(enum req r);
const char *key_help(enum req r);
/* The code of a key's name ("j", "^F", "PgDn"), -1 if there is none. */
int key_code(const char *name, size_t n);
/* The key's first name, for the key bar. */
void key_first(enum req r, char out[16]);

#endif
