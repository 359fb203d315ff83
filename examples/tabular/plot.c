#include "plot.h"

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

/* The columns as $name: epoch, training, validation, both times factor. */
static void write_data(FILE *gnuplot, const bp_trainer *trainer, const char *name, double factor, bp_history of_training,
                       bp_history of_validation)
{
    fprintf(gnuplot, "$%s << end\n", name);
    for (size_t epoch = 0; epoch < bp_trainer_epoch_count(trainer); epoch++) {
        double a = (double)NAN, b = (double)NAN;
        bp_trainer_history(trainer, of_training, epoch, &a);
        bp_trainer_history(trainer, of_validation, epoch, &b);
        fprintf(gnuplot, "%zu %.9g %.9g\n", epoch + 1, factor * a, factor * b);
    }
    fprintf(gnuplot, "end\n");
}

/* One diagram, with the best epoch marked. */
static void draw(FILE *gnuplot, const bp_trainer *trainer, const char *data, bool has_validation)
{
    size_t best = bp_trainer_best_epoch(trainer);
    if (has_validation && best != SIZE_MAX) {
        fprintf(gnuplot, "set arrow 1 from %zu, graph 0 to %zu, graph 1 nohead lc rgb '#999999' dt 2\n", best + 1, best + 1);
    }
    fprintf(gnuplot, "plot $%s using 1:2 with lines lw 2 lc rgb '#0072b2' title 'training'", data);
    if (has_validation) {
        fprintf(gnuplot, ", $%s using 1:3 with lines lw 2 lc rgb '#d55e00' title 'validation'", data);
        if (best != SIZE_MAX) {
            fprintf(gnuplot, ", $%s using 1:3 every ::%zu::%zu with points pt 7 ps 1.2 lc rgb '#d55e00' title 'best epoch: %zu'", data,
                    best, best, best + 1);
        }
    }
    fprintf(gnuplot, "\nunset arrow 1\n");
}

/* A logarithmic axis with more numbers than the powers of ten: losses rarely span two of them. */
static void write_log_axis(FILE *gnuplot)
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

static void write_page(FILE *gnuplot, const char *title, const char *path)
{
    bool is_png = strcmp(strrchr(path, '.'), ".png") == 0;
    fprintf(gnuplot, "set terminal %s noenhanced font 'Sans,%d'\nset output ",
            is_png ? "pngcairo size 1000,900" : "svg size 1000,900 background 'white'", is_png ? 12 : 14);
    quote(gnuplot, path);
    fprintf(gnuplot, "\nset multiplot layout 2,1 title ");
    quote(gnuplot, title);
    fprintf(gnuplot, "\nset grid lt 1 dt 1 lw 1 lc rgb '#dddddd'\nset border 3 lc rgb '#555555'\nset tics nomirror\n"
                     "set lmargin 11\nset rmargin 4\nset autoscale yfix\nset offsets 0, 0, graph 0.04, graph 0.04\n");
}

static void write_commands(FILE *gnuplot, const bp_trainer *trainer, bool regress, const char *title, const char *path)
{
    double validation = (double)NAN;
    bp_trainer_history(trainer, BP_HISTORY_VALIDATION_LOSS, 0, &validation);
    write_data(gnuplot, trainer, "loss", 1, BP_HISTORY_TRAINING_LOSS, BP_HISTORY_VALIDATION_LOSS);
    write_data(gnuplot, trainer, "quality", regress ? 1 : 100, regress ? BP_HISTORY_TRAINING_R2 : BP_HISTORY_TRAINING_ACCURACY,
               regress ? BP_HISTORY_VALIDATION_R2 : BP_HISTORY_VALIDATION_ACCURACY);
    write_page(gnuplot, title, path);
    size_t n = bp_trainer_epoch_count(trainer);
    fprintf(gnuplot, "set xrange [1:%zu]\n", n > 1 ? n : 2);
    write_log_axis(gnuplot);
    fprintf(gnuplot, "set key top right\nset ylabel 'loss (%s)'\n", regress ? "half the squared error, in variances" : "cross-entropy");
    draw(gnuplot, trainer, "loss", isfinite(validation));
    fprintf(gnuplot, "unset logscale y\nset ytics auto\nset key bottom right\nset xlabel 'epoch'\nset ylabel '%s'\n",
            regress ? "R²" : "accuracy");
    if (!regress) {
        fprintf(gnuplot, "set format y '%%g%%%%'\n");
    }
    draw(gnuplot, trainer, "quality", isfinite(validation));
    fprintf(gnuplot, "unset multiplot\nunset output\n");
}

bool plot_history(const bp_trainer *trainer, bool regress, const char *title, const char *path)
{
    if (bp_trainer_epoch_count(trainer) == 0) {
        fprintf(stderr, "tabular: no epoch is complete, so there is nothing for --plot\n");
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
        fprintf(stderr, "tabular: --plot needs gnuplot, which is not found (Debian: gnuplot-nox)\n");
    } else if (status != 0) {
        fprintf(stderr, "tabular: gnuplot could not draw %s\n", path);
    }
    return status == 0;
}
