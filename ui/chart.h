/* Small charts of eighth blocks (or ASCII): sparklines and bars. The numbers stand beside them,
 * a chart is never the only sign. */
#ifndef UI_CHART_H
#define UI_CHART_H

#include "ui/draw.h"

#include <stdint.h>

/* Sparkline of n values in w columns: the newest at the right end; several values per column are
 * summed when n > w, fewer start further right. Each column is at least the lowest step when it is
 * not zero. */
void chart_spark(struct pen *p, enum style st, int w, const int64_t *v, int n);
/* Bars of height h above each other, one value per `step` columns, oldest left, in box b. */
void chart_columns(struct box b, enum style st, const int64_t *v, int n, int step);

#endif
