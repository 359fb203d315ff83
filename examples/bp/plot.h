/* Draws the course of a training by gnuplot. */
#ifndef PLOT_H
#define PLOT_H

#include <bp/bp.h>

#include <stdbool.h>

/* Loss, and accuracy or R², by epoch into an .svg or .png file; false with a sentence on stderr. */
bool plot_history(const bp_trainer *trainer, bool regress, const char *title, const char *path);

#endif
