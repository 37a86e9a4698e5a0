/* Parts of `trackai pixel`. */
#ifndef TA_CMD_PIXEL_H
#define TA_CMD_PIXEL_H

/* trackai pixel test PIXEL [--event ID] [draft settings] [--json]: argv[0] is "pixel". One stored
 * event through the pixel in the platform's test mode (db/pixel_test.h). Returns the exit status: 1
 * when the platform would not take it. */
int pixel_test(int argc, char **argv);

#endif
