#include "show.h"

#include <math.h>
#include <stdio.h>

uint32_t argmax(size_t n, const float *numbers)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        if (numbers[i] > numbers[best]) {
            best = i;
        }
    }
    return best;
}

void show_confusion(const uint64_t *counts)
{
    printf("\nConfusion matrix of the test digits: a row for each true digit, a column for each answer\n\n      ");
    for (int j = 0; j < CLASS_COUNT; j++) {
        printf("%4d", j);
    }
    printf("\n      ");
    for (int j = 0; j < CLASS_COUNT; j++) {
        printf("----");
    }
    for (int i = 0; i < CLASS_COUNT; i++) {
        printf("\n%4d |", i);
        for (int j = 0; j < CLASS_COUNT; j++) {
            if (counts[i * CLASS_COUNT + j]) {
                printf("%4llu", (unsigned long long)counts[i * CLASS_COUNT + j]);
            } else {
                printf("   .");
            }
        }
    }
    printf("\n");
}

void show_digits(size_t n, const size_t *samples, const float *images, const uint32_t *truth, const uint32_t *predicted)
{
    static const char ink[] = " .:-=+*#@"; /* one sign for two of the 17 shades */
    printf("\n");
    for (int row = 0; row < IMAGE_SIDE; row++) {
        for (size_t i = 0; i < n; i++) {
            const float *image = images + samples[i] * PIXEL_COUNT;
            printf("  ");
            for (int column = 0; column < IMAGE_SIDE; column++) {
                float pixel = fminf(fmaxf(image[row * IMAGE_SIDE + column], 0), 16);
                char sign = ink[(int)pixel / 2];
                printf("%c%c", sign, sign); /* a character is about twice as high as wide */
            }
        }
        printf("\n");
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t seen = predicted[samples[i]], real = truth[samples[i]];
        printf("  read %u, is %u %s", (unsigned)seen, (unsigned)real, seen == real ? "   " : "(!)");
    }
    printf("\n");
}
