#include "plot.h"

#include "command.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* A text in gnuplot's single quotes. */
static void quote(FILE *gnuplot, const char *text)
{
    fputc('\'', gnuplot);
    for (; *text; text++) {
        fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, gnuplot);
    }
    fputc('\'', gnuplot);
}

/* One of the two pictures above each other. */
typedef struct diagram {
    const char *label, *key; /* of the y axis; where the names of the lines are */
    double factor;           /* of the numbers */
    bool is_logarithmic;
    bp_history training, validation;
} diagram;

static double value_at(const bp_trainer *trainer, const diagram *d, bp_history column, size_t epoch)
{
    double value = (double)NAN;
    bp_trainer_history(trainer, column, epoch, &value);
    return d->factor * value;
}

/* The lines as $curves: epoch, training, validation. */
static void write_curves(FILE *gnuplot, const bp_trainer *trainer, const diagram *d)
{
    fprintf(gnuplot, "$curves << end\n");
    for (size_t i = 0; i < bp_trainer_epoch_count(trainer); i++) {
        fprintf(gnuplot, "%zu %.9g %.9g\n", i + 1, value_at(trainer, d, d->training, i), value_at(trainer, d, d->validation, i));
    }
    fprintf(gnuplot, "end\n");
}

/* A logarithmic axis with more numbers than the powers of ten: losses rarely span two of them. */
static void write_logarithmic_axis(FILE *gnuplot)
{
    static const double marks[] = {1, 2, 3, 5};
    fprintf(gnuplot, "set logscale y\nset ytics (");
    for (int exponent = -9; exponent <= 9; exponent++) {
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
            fprintf(gnuplot, "%s%g", exponent > -9 || i > 0 ? ", " : "", marks[i] * pow(10, exponent));
        }
    }
    fprintf(gnuplot, ")\n");
}

/* The y axis goes a little beyond the values, and has a length if all are the same. */
static void write_y_axis(FILE *gnuplot, const bp_trainer *trainer, const diagram *d)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < bp_trainer_epoch_count(trainer); i++) {
        low = fmin(low, fmin(value_at(trainer, d, d->training, i), value_at(trainer, d, d->validation, i))); /* NaN is passed over */
        high = fmax(high, fmax(value_at(trainer, d, d->training, i), value_at(trainer, d, d->validation, i)));
    }
    if (d->is_logarithmic && low > 0) {
        double margin = high > low ? pow(high / low, 0.04) : 1.1;
        fprintf(gnuplot, "set yrange [%g:%g]\n", low / margin, high * margin);
        write_logarithmic_axis(gnuplot);
    } else {
        double margin = high > low ? 0.04 * (high - low) : 0.1 * d->factor;
        fprintf(gnuplot, "unset logscale y\nset ytics auto\nset yrange [%g:%g]\n", low - margin, high + margin);
    }
    fprintf(gnuplot, "set ylabel '%s'\nset format y '%%g%s'\n", d->label, d->factor == 100 ? "%%" : "");
}

static void draw(FILE *gnuplot, const bp_trainer *trainer, const diagram *d)
{
    size_t best = bp_trainer_best_epoch(trainer);
    bool has_validation = isfinite(value_at(trainer, d, d->validation, 0));
    write_curves(gnuplot, trainer, d);
    write_y_axis(gnuplot, trainer, d);
    fprintf(gnuplot, "set key %s\n", d->key);
    if (has_validation) {
        fprintf(gnuplot, "set arrow 1 from %zu, graph 0 to %zu, graph 1 nohead lc rgb '#999999' dt 2\n", best + 1, best + 1);
    }
    fprintf(gnuplot, "plot $curves using 1:2 with lines lw 2 lc rgb '#0072b2' title 'training'");
    if (has_validation) {
        fprintf(gnuplot,
                ", $curves using 1:3 with lines lw 2 lc rgb '#d55e00' title 'validation'"
                ", $curves using 1:3 every ::%zu::%zu with points pt 7 ps 1.2 lc rgb '#d55e00' title 'best epoch: %zu'",
                best, best, best + 1);
    }
    fprintf(gnuplot, "\nunset arrow 1\n");
}

static void write_commands(FILE *gnuplot, const bp_trainer *trainer, bool regress, const char *title, const char *path)
{
    const diagram loss = {.label = regress ? "loss (half the squared error, in variances)" : "loss (cross-entropy)",
                          .key = "top right",
                          .factor = 1,
                          .is_logarithmic = true,
                          .training = BP_HISTORY_TRAINING_LOSS,
                          .validation = BP_HISTORY_VALIDATION_LOSS};
    const diagram quality = {.label = regress ? "R²" : "accuracy",
                             .key = "bottom right",
                             .factor = regress ? 1 : 100,
                             .training = regress ? BP_HISTORY_TRAINING_R2 : BP_HISTORY_TRAINING_ACCURACY,
                             .validation = regress ? BP_HISTORY_VALIDATION_R2 : BP_HISTORY_VALIDATION_ACCURACY};
    size_t n = bp_trainer_epoch_count(trainer);
    bool is_png = strcmp(strrchr(path, '.'), ".png") == 0;
    fprintf(gnuplot, "set terminal %s noenhanced font 'Sans,%d'\nset output ",
            is_png ? "pngcairo size 1000,900" : "svg size 1000,900 background 'white'", is_png ? 12 : 14);
    quote(gnuplot, path);
    fprintf(gnuplot, "\nset multiplot layout 2,1 title ");
    quote(gnuplot, title);
    fprintf(gnuplot,
            "\nset grid lt 1 dt 1 lw 1 lc rgb '#dddddd'\nset border 3 lc rgb '#555555'\nset tics nomirror\nset lmargin 11\n"
            "set rmargin 4\nset xrange [1:%zu]\n",
            n > 1 ? n : 2);
    draw(gnuplot, trainer, &loss);
    fprintf(gnuplot, "set xlabel 'epoch'\n");
    draw(gnuplot, trainer, &quality);
    fprintf(gnuplot, "unset multiplot\nunset output\n");
}

bool plot_history(const bp_trainer *trainer, bool regress, const char *title, const char *path)
{
    if (bp_trainer_epoch_count(trainer) == 0) {
        complain("no epoch is complete, so there is nothing for --plot");
        return false;
    }
    void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* if there is no gnuplot, nobody reads */
    FILE *gnuplot = popen("gnuplot", "w");
    if (gnuplot) {
        write_commands(gnuplot, trainer, regress, title, path);
    }
    int status = gnuplot ? pclose(gnuplot) : -1;
    signal(SIGPIPE, before);
    if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
        complain("--plot needs gnuplot, which is not found (Debian: gnuplot-nox)");
    } else if (status != 0) {
        complain("gnuplot could not draw %s", path);
    }
    return status == 0;
}
