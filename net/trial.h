/* Test sends (db/pixel_test.h): the dispatcher's work beside the live traffic. */
#ifndef NET_TRIAL_H
#define NET_TRIAL_H

#include "net/http.h"

struct dispatch;

TA_MUST enum ta_rc trials_take(struct dispatch *d, struct ta_err *err);
/* Takes a reply that belongs to a test send; false: it is a batch's. */
bool trials_reply(struct dispatch *d, struct http_reply *r);
/* Writes the answers that are there, each with its audit entry, in transactions of their own. */
TA_MUST enum ta_rc trials_answer(struct dispatch *d, struct ta_err *err);
/* Refuses what a former process took. */
TA_MUST enum ta_rc trials_abandon(struct dispatch *d, struct ta_err *err);
bool trials_under_way(const struct dispatch *d);
void trials_release(struct dispatch *d);

#endif
