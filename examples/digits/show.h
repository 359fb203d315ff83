/* What the demo shows when it has learned. Images are 8 × 8 pixels of 0 (paper) to 16 (ink). */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>
#include <stdint.h>

enum { IMAGE_SIDE = 8, PIXEL_COUNT = IMAGE_SIDE * IMAGE_SIDE, CLASS_COUNT = 10 };

/* The index of the greatest of n numbers. */
uint32_t argmax(size_t n, const float *numbers);

/* A table of true class × answer, CLASS_COUNT × CLASS_COUNT. */
void show_confusion(const uint64_t *counts);

/* Draws n images side by side, with prediction and truth beneath. */
void show_digits(size_t n, const size_t *samples, const float *images, const uint32_t *truth, const uint32_t *predicted);

#endif
