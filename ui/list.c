#include "ui/list.h"

#include "src/attr.h"

bool list_move(struct list *l, enum req r, int n)
{
	int page = TA_MAX(l->height - 1, 1), half = TA_MAX(l->height / 2, 1);
	switch ((int)r) {
	case REQ_DOWN:
		l->sel++;
		break;
	case REQ_UP:
		l->sel--;
		break;
	case REQ_PAGE_DOWN:
		l->sel += page;
		break;
	case REQ_PAGE_UP:
		l->sel -= page;
		break;
	case REQ_HALF_DOWN:
		l->sel += half;
		break;
	case REQ_HALF_UP:
		l->sel -= half;
		break;
	case REQ_FIRST:
		l->sel = 0;
		break;
	case REQ_LAST:
		l->sel = n - 1;
		break;
	default:
		return false;
	}
	l->sel = TA_MAX(TA_MIN(l->sel, n - 1), 0);
	return true;
}

void list_fit(struct list *l, int n, int height)
{
	l->height = height;
	l->sel = TA_MAX(TA_MIN(l->sel, n - 1), 0);
	if (l->sel < l->top)
		l->top = l->sel;
	if (l->sel >= l->top + height)
		l->top = l->sel - height + 1;
	l->top = TA_MAX(TA_MIN(l->top, n - height), 0);
}
