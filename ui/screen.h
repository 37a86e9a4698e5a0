/* The whole frame: title, figures, view, prompt line, key bar; and help over all. */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "ui/app.h"

#define SCREEN_MIN_W 60
#define SCREEN_MIN_H 16

/* Draws the state into stdscr, at whatever size it has. */
void screen_draw(struct app *app);

#endif
