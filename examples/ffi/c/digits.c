/*
 * What the programs of the other languages in examples/ffi do as well, line by line: their output and their model files are compared with this one's.
 *
 *     digits DIGITS.CSV MODEL.safetensors
 *
 * The file has 1797 rows of 64 pixels, 0 to 16, and the digit that they show.
 */
#include <bp/bp.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1797, TRAINING = 1438, TEST = SAMPLES - TRAINING, PIXELS = 64, CLASSES = 10, EPOCHS = 20 };

static float pixels[SAMPLES * PIXELS];
static uint32_t digits[SAMPLES];

/* All calls of the library that can fail go through this. */
static void check(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "digits: %s\n", bp_last_error());
        exit(1);
    }
}

static void read_digits(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t j = 0; j < PIXELS; j++) {
            if (fscanf(file, "%f,", &pixels[i * PIXELS + j]) != 1) {
                fprintf(stderr, "%s: a number is missing\n", path);
                exit(1);
            }
        }
        if (fscanf(file, "%u", &digits[i]) != 1) {
            fprintf(stderr, "%s: a digit is missing\n", path);
            exit(1);
        }
    }
    fclose(file);
}

static int print_progress(void *context, const bp_progress *progress)
{
    (void)context;
    if (progress->epoch % 10 == 0) {
        printf("epoch %u of %u: loss %.4f\n", (unsigned)progress->epoch, (unsigned)progress->epochs, progress->training_loss);
    }
    return 0; /* go on */
}

static uint32_t largest(const float *outputs)
{
    uint32_t answer = 0;
    for (uint32_t k = 1; k < CLASSES; k++) {
        answer = outputs[k] > outputs[answer] ? k : answer;
    }
    return answer;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: digits DIGITS.CSV MODEL.safetensors\n");
        return 2;
    }
    read_digits(argv[1]);
    const float *test_pixels = pixels + TRAINING * PIXELS;
    const uint32_t *test_digits = digits + TRAINING;
    printf("libbp %s\n", bp_version());

    /* a call that fails says why */
    bp_net *net = NULL;
    if (bp_net_create(&net, BP_F32, 0) != BP_OK) {
        printf("refused: %s\n", bp_last_error());
    }

    /* 64-32-10, which scales its inputs */
    bp_dataset *training;
    float offset[PIXELS], scale[PIXELS];
    check(bp_dataset_create_classes_f32(&training, TRAINING, PIXELS, CLASSES, pixels, digits));
    check(bp_dataset_fit_scaling_f32(training, BP_SCALING_MIN_MAX, offset, scale));
    check(bp_net_create(&net, BP_F32, PIXELS));
    check(bp_net_add_dense(net, 32, BP_ACTIVATION_TANH, 1));
    check(bp_net_add_dense(net, CLASSES, BP_ACTIVATION_SOFTMAX, 1));
    check(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42));
    check(bp_net_set_input_scaling_f32(net, offset, scale));

    /* train */
    bp_optimizer *optimizer;
    bp_trainer *trainer;
    check(bp_optimizer_create(&optimizer, BP_METHOD_ADAM, net));
    check(bp_optimizer_set(optimizer, BP_OPTIMIZER_LEARNING_RATE, 0.005));
    check(bp_trainer_create(&trainer, net, optimizer, BP_LOSS_CROSS_ENTROPY, training));
    check(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, EPOCHS));
    check(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, 32));
    check(bp_trainer_set(trainer, BP_TRAINER_SEED, 42));
    check(bp_trainer_set_progress(trainer, print_progress, NULL, BP_PROGRESS_EPOCH));
    check(bp_trainer_run(trainer));

    /* predict many, and one */
    bp_workspace *workspace;
    float outputs[TEST * CLASSES], one[CLASSES];
    int right = 0;
    check(bp_workspace_create(&workspace, net, 64));
    check(bp_net_predict_f32(net, workspace, TEST, test_pixels, outputs));
    for (size_t i = 0; i < TEST; i++) {
        right += largest(outputs + i * CLASSES) == test_digits[i];
    }
    printf("accuracy %.4f on %d digits\n", (double)right / TEST, TEST);
    check(bp_net_predict_f32(net, workspace, 1, test_pixels, one));
    printf("the first is a %u, and taken for a %u\n", test_digits[0], largest(one));

    /* save and load */
    bp_net *loaded;
    bp_workspace *its_workspace;
    float again[TEST * CLASSES];
    check(bp_net_save(net, argv[2]));
    check(bp_net_load(&loaded, argv[2]));
    check(bp_workspace_create(&its_workspace, loaded, 64));
    check(bp_net_predict_f32(loaded, its_workspace, TEST, test_pixels, again));
    printf("loaded: %s\n", memcmp(outputs, again, sizeof outputs) == 0 ? "the same answers" : "other answers");

    bp_workspace_destroy(its_workspace);
    bp_net_destroy(loaded);
    bp_workspace_destroy(workspace);
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(optimizer);
    bp_net_destroy(net);
    bp_dataset_destroy(training);
    return 0;
}
