/* What the platforms' error codes mean (src/replies.def): class for the dispatcher, word, cause and
 * remedy for people. */
#ifndef TA_REPLY_H
#define TA_REPLY_H

#include "src/words.h"

enum reply_class { REPLY_BATCH, REPLY_AUTH, REPLY_CONFIG, REPLY_RETRY };

struct reply {
	enum platform_id platform;
	enum reply_class class;
	long from, to;              /* codes, inclusive */
	long subcode;               /* 0: any */
	const char *word;           /* "token_expired" */
	const char *cause, *remedy; /* half sentences */
};

/* The row of a code, NULL when we know none. */
const struct reply *reply_find(enum platform_id platform, long code, long subcode);
/* The same for a verdict's code text: "953", "100/2804003"; NULL for any other text. */
const struct reply *reply_find_text(enum platform_id platform, const char *code);

#endif
