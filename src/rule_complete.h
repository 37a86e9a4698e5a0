/* Completion of expressions: what may stand at the cursor of a text that is being typed, wrong or
 * unfinished as it is. Pure: text and cursor in, place out; who completes brings the words. */
#ifndef TA_RULE_COMPLETE_H
#define TA_RULE_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* What may stand there; several at once. */
enum rule_want {
	RULE_WANT_FIELD = 1,    /* a field's name */
	RULE_WANT_NOT = 2,      /* not, exists: what a condition may begin with */
	RULE_WANT_OPERATOR = 4, /* what may follow the field */
	RULE_WANT_VALUE = 8,    /* what the field is compared with */
	RULE_WANT_LIST = 16,    /* the opening [ of a list of values */
	RULE_WANT_COMMA = 32,   /* , or ] */
	RULE_WANT_JOIN = 64,    /* and, or */
	RULE_WANT_WITH = 128,   /* the second word of starts with, ends with */
	RULE_WANT_CURRENCY = 256
};

struct rule_place {
	unsigned wants; /* enum rule_want; 0: nothing is known to fit */
	size_t from,
		to; /* bytes that a candidate replaces: the word at the cursor, from <= at <= to */
	int field;  /* number of the field (src/rule_field.h) on the left, -1 none */
	bool negated; /* a "not" stands before the operator */
	bool in_list; /* the value is a member of a list */
	char quote;   /* the word begins with this quote; 0: it does not */
};

/* `at` is a byte of the text or its length. text[from, at) is the prefix of the word, its quote
 * included. Texts of more than RULE_MAX_SIZE bytes and JsonLogic want nothing. */
void rule_complete(const char *text, size_t at, struct rule_place *out);

/* Appends a value as an expression may hold it on the right of an operator: bare where that reads
 * back as the same text, else in quotes. */
void rule_complete_value(struct buf *b, const char *value);

#endif
