#include "ui/keys.h"

#include "src/attr.h"
#include "ui/term.h"

#include <ctype.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>

static const struct {
	unsigned contexts;
	const char *name, *keys, *footer, *help;
} rows[REQ_COUNT] = {
	[REQ_NONE] = {0, "", "", "", ""},
#define REQ(name, contexts, keys, footer, help)                                                    \
	[REQ_##name] = {contexts, #name, keys, footer, help},
#include "ui/keys.def"
#undef REQ
};

static const struct {
	const char *name;
	int code;
} names[] = {
	{"Enter", '\r'},
	{"Esc", 27},
	{"Tab", '\t'},
	{"BTab", TERM_KEY(KEY_BTAB)},
	{"Space", ' '},
	{"Up", TERM_KEY(KEY_UP)},
	{"Down", TERM_KEY(KEY_DOWN)},
	{"Left", TERM_KEY(KEY_LEFT)},
	{"Right", TERM_KEY(KEY_RIGHT)},
	{"Home", TERM_KEY(KEY_HOME)},
	{"End", TERM_KEY(KEY_END)},
	{"PgUp", TERM_KEY(KEY_PPAGE)},
	{"PgDn", TERM_KEY(KEY_NPAGE)},
	{"F1", TERM_KEY(KEY_F(1))},
	{"F5", TERM_KEY(KEY_F(5))},
};

int key_code(const char *name, size_t n)
{
	if (n == 1)
		return (unsigned char)*name;
	if (n == 2 && *name == '^')
		return name[1] & 31;
	for (size_t i = 0; i < TA_COUNT(names); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0)
			return names[i].code;
	return -1;
}

static bool has_key_code(enum req r, int key)
{
	for (const char *p = rows[r].keys; *p;) {
		size_t n = strcspn(p, " ");
		if (key_code(p, n) == key)
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

enum req key_request(int key, unsigned context)
{
	/* Enter and Backspace come in more than one spelling. */
	if (key == '\n' || key == TERM_KEY(KEY_ENTER))
		key = '\r';
	for (int r = 1; r < REQ_COUNT; r++)
		if ((rows[r].contexts & context) && has_key_code((enum req)r, key))
			return (enum req)r;
	return REQ_NONE;
}

enum req key_nth(unsigned context, int n)
{
	for (int r = 1; r < REQ_COUNT; r++)
		if ((rows[r].contexts & context) && n-- == 0)
			return (enum req)r;
	return REQ_NONE;
}

unsigned key_contexts(enum req r)
{
	return rows[r].contexts;
}

const char *key_names(enum req r)
{
	return rows[r].keys;
}

void key_word(enum req r, char out[KEY_WORD])
{
	snprintf(out, KEY_WORD, "%s", rows[r].name);
	for (char *c = out; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
}

const char *key_footer(enum req r)
{
	return rows[r].footer;
}

const char *key_help(enum req r)
{
	return rows[r].help;
}

void key_first(enum req r, char out[16])
{
	snprintf(out, 16, "%.15s", rows[r].keys);
	out[strcspn(out, " ")] = '\0';
}
