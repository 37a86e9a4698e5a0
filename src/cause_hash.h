/* Recognising wrong hashes. A hash tells nothing by itself, but the same shop says much in plain
 * text: of every plain value, and of closed vocabularies (countries, genders, common first names),
 * the hashes of its usual mistakes are made and looked up. Pure. */
#ifndef TA_CAUSE_HASH_H
#define TA_CAUSE_HASH_H

#include "src/cause.h"
#include "src/identity.h"

struct arena;
struct hash_book;

/* With the closed vocabularies. Lives in the arena. */
struct hash_book *hash_book_new(struct arena *a, enum platform_id platform);
/* Learns what the shop says of somebody: plain values, and hashes (of which the hash is a mistake).
 */
void hash_book_learn(struct hash_book *h, const struct event_user *u);
/* What is wrong with a given value of 64 hex digits: HASH_EMPTY, HASH_TWICE, HASH_NOT_NORMALISED,
 * PHONE_FORM, HASH_UPPER (nothing else is), CAUSE_NONE. `how` becomes a half sentence. */
enum cause hash_book_judge(const struct hash_book *h, const char *hex, const char **how);

#endif
