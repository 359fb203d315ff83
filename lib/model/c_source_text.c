#include "model/c_source_text.h"

#include <stddef.h>
#include <string.h>

const char bp_c_layer[] = "static void @_layer(const # *W, const # *b, size_t n_inputs, size_t n_outputs, const # *x, # *e)\n"
                          "{\n"
                          "    size_t i, j;\n"
                          "    for (i = 0; i < n_outputs; i++, W += n_inputs) {\n"
                          "        # sum = b ? b[i] : 0;\n"
                          "        for (j = 0; j < n_inputs; j++) {\n"
                          "            sum += W[j] * x[j];\n"
                          "        }\n"
                          "        e[i] = sum;\n"
                          "    }\n"
                          "}\n";

/* The formulas of kernel/activation_reference.c. */
static const struct {
    const char *text;
    bool needs_mathematics;
} activations[] = {
    [BP_ACTIVATION_IDENTITY] = {NULL, false},
    [BP_ACTIVATION_SIGMOID] = {"static # @_sigmoid(# e)\n"
                               "{\n"
                               "    const # t = exp$(-fabs$(e));\n"
                               "    return (e < 0 ? t : 1) / (1 + t);\n"
                               "}\n",
                               true},
    [BP_ACTIVATION_TANH] = {"static # @_tanh(# e)\n"
                            "{\n"
                            "    return tanh$(e);\n"
                            "}\n",
                            true},
    [BP_ACTIVATION_RELU] = {"static # @_relu(# e)\n"
                            "{\n"
                            "    return e < 0 ? 0 : e;\n"
                            "}\n",
                            false},
    [BP_ACTIVATION_LEAKY_RELU] = {"static # @_leaky_relu(# e)\n"
                                  "{\n"
                                  "    return e < 0 ? 0.01$ * e : e;\n"
                                  "}\n",
                                  false},
    [BP_ACTIVATION_ELU] = {"static # @_elu(# e)\n"
                           "{\n"
                           "    return e < 0 ? expm1$(e) : e;\n"
                           "}\n",
                           true},
    [BP_ACTIVATION_SELU] = {"static # @_selu(# e)\n"
                            "{\n"
                            "    return 1.0507009873554804934193$ * (e < 0 ? 1.6732632423543772848170$ * expm1$(e) : e);\n"
                            "}\n",
                            true},
    [BP_ACTIVATION_GELU] = {"static # @_gelu(# e)\n"
                            "{\n"
                            "    return e * (0.5$ * erfc$(-e * 0.7071067811865475244008$));\n"
                            "}\n",
                            true},
    [BP_ACTIVATION_SILU] = {"static # @_silu(# e)\n"
                            "{\n"
                            "    const # t = exp$(-fabs$(e));\n"
                            "    return e * ((e < 0 ? t : 1) / (1 + t));\n"
                            "}\n",
                            true},
    [BP_ACTIVATION_SOFTPLUS] = {"static # @_softplus(# e)\n"
                                "{\n"
                                "    return (e < 0 ? 0 : e) + log1p$(exp$(-fabs$(e)));\n"
                                "}\n",
                                true},
    [BP_ACTIVATION_SOFTSIGN] = {"static # @_softsign(# e)\n"
                                "{\n"
                                "    return e / (1 + (e < 0 ? -e : e));\n"
                                "}\n",
                                false},
    [BP_ACTIVATION_GAUSSIAN] = {"static # @_gaussian(# e)\n"
                                "{\n"
                                "    return exp$(-e * e);\n"
                                "}\n",
                                true},
    [BP_ACTIVATION_SINE] = {"static # @_sine(# e)\n"
                            "{\n"
                            "    return sin$(e);\n"
                            "}\n",
                            true},
    [BP_ACTIVATION_SOFTMAX] = {"static void @_softmax(# *y, size_t n)\n"
                               "{\n"
                               "    # maximum = y[0], sum = 0;\n"
                               "    size_t i;\n"
                               "    for (i = 1; i < n; i++) {\n"
                               "        maximum = y[i] > maximum ? y[i] : maximum;\n"
                               "    }\n"
                               "    for (i = 0; i < n; i++) {\n"
                               "        y[i] = exp$(y[i] - maximum);\n"
                               "        sum += y[i];\n"
                               "    }\n"
                               "    for (i = 0; i < n; i++) {\n"
                               "        y[i] /= sum;\n"
                               "    }\n"
                               "}\n",
                               true},
};

const char *bp_c_activation(bp_activation activation)
{
    return activations[activation].text;
}

bool bp_c_needs_mathematics(bp_activation activation)
{
    return activations[activation].needs_mathematics;
}

/* Keywords of C from C89 to C23, what is no keyword and yet taken, and the functions above, each between two spaces. */
static const char taken[] =
    " alignas alignof asm auto bool break case char const constexpr continue default do double else enum extern false float for goto if "
    "inline"
    " int long nullptr register restrict return short signed sizeof static static_assert struct switch thread_local true typedef typeof"
    " typeof_unqual union unsigned void volatile while main size_t NULL exp expf fabs fabsf tanh tanhf expm1 expm1f erfc erfcf log1p log1pf"
    " sin sinf ";

const char *bp_c_name_error(const char *name)
{
    static const char characters[] = "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { LONGEST = 63 }; /* of which C99 compilers look at all characters */
    size_t length = strlen(name);
    if (length == 0 || length > LONGEST) {
        return "it is to have 1 to 63 characters";
    }
    if (name[strspn(name, characters)] != '\0' || (name[0] >= '0' && name[0] <= '9')) {
        return "an identifier is of letters, digits and _, and does not begin with a digit";
    }
    if (name[0] == '_') {
        return "names that begin with _ are the compiler's";
    }
    char word[LONGEST + 3] = " ";
    strcat(strcat(word, name), " ");
    return strstr(taken, word) ? "C has something else of this name" : NULL;
}
