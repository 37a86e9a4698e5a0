/* Alerts that nobody has taken on: the top line names the worst, and each new one rings the
 * terminal's bell once (:bell off, setting `bell`). */
#ifndef UI_ALARM_H
#define UI_ALARM_H

#include "ui/data.h"

struct app;

/* What an alert is about: "Shop/pixel", "meta", "network". */
void alarm_object(const struct data *d, const struct view_alert *a, char out[120]);
/* The worst and newest that is open, neither acknowledged nor muted; *n: how many there are. NULL:
 * none. */
const struct view_alert *alarm_worst(const struct data *d, size_t *n);
/* Behind each reading of the alerts: asks for the bell when one is new since the one before. What
 * was open when the console came rings no bell. */
void alarm_look(struct app *app);

#endif
