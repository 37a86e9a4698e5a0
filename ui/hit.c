#include "ui/hit.h"

#include "ui/list.h"

#define HITS 256

static struct {
	struct hit all[HITS];
	int n;
} hits;

void hit_clear(void)
{
	hits.n = 0;
}

void hit_add(struct hit h)
{
	if (hits.n < HITS && h.box.h > 0 && h.box.w > 0)
		hits.all[hits.n++] = h;
}

void hit_list(const struct list *l, int n, struct box rows)
{
	rows.h = TA_MIN(rows.h, n - l->top);
	hit_add((struct hit){.box = rows, .kind = HIT_LIST, .arg = l->sel - l->top});
}

struct hit hit_at(int y, int x)
{
	for (int i = hits.n - 1; i >= 0; i--) {
		struct box b = hits.all[i].box;
		if (y >= b.y && y < b.y + b.h && x >= b.x && x < b.x + b.w)
			return hits.all[i];
	}
	return (struct hit){.kind = HIT_NOTHING};
}
