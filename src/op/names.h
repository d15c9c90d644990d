/* SPDX-License-Identifier: MIT
 *
 * names.h - what the elementwise ops are called in Keras (keras.ops) and ONNX; NULL: not there.
 */
#ifndef NC_OP_NAMES_H
#define NC_OP_NAMES_H

#define NAMES_neg "negative", "Neg"
#define NAMES_abs "absolute", "Abs"
#define NAMES_sign "sign", "Sign"
#define NAMES_exp "exp", "Exp"
#define NAMES_expm1 "expm1", NULL
#define NAMES_log "log", "Log"
#define NAMES_log1p "log1p", NULL
#define NAMES_sqrt "sqrt", "Sqrt"
#define NAMES_rsqrt "rsqrt", NULL
#define NAMES_reciprocal "reciprocal", "Reciprocal"
#define NAMES_square "square", NULL
#define NAMES_sin "sin", "Sin"
#define NAMES_cos "cos", "Cos"
#define NAMES_tan "tan", "Tan"
#define NAMES_asin "arcsin", "Asin"
#define NAMES_acos "arccos", "Acos"
#define NAMES_atan "arctan", "Atan"
#define NAMES_sinh "sinh", "Sinh"
#define NAMES_cosh "cosh", "Cosh"
#define NAMES_tanh "tanh", "Tanh"
#define NAMES_asinh "arcsinh", "Asinh"
#define NAMES_acosh "arccosh", "Acosh"
#define NAMES_atanh "arctanh", "Atanh"
#define NAMES_sigmoid "sigmoid", "Sigmoid"
#define NAMES_softplus "softplus", "Softplus"
#define NAMES_relu "relu", "Relu"
#define NAMES_erf "erf", "Erf"
#define NAMES_gelu "gelu", "Gelu"
#define NAMES_gelu_slope NULL, NULL
#define NAMES_floor "floor", "Floor"
#define NAMES_ceil "ceil", "Ceil"
#define NAMES_round "round", "Round"
#define NAMES_trunc "trunc", NULL
#define NAMES_logical_not "logical_not", "Not"
#define NAMES_is_nan "isnan", "IsNaN"
#define NAMES_is_inf "isinf", "IsInf"
#define NAMES_is_finite "isfinite", NULL
#define NAMES_add "add", "Add"
#define NAMES_sub "subtract", "Sub"
#define NAMES_mul "multiply", "Mul"
#define NAMES_div "divide", "Div"
#define NAMES_pow "power", "Pow"
#define NAMES_maximum "maximum", "Max"
#define NAMES_minimum "minimum", "Min"
#define NAMES_mod "mod", "Mod"
#define NAMES_floor_divide "floor_divide", NULL
#define NAMES_atan2 "arctan2", NULL
#define NAMES_eq "equal", "Equal"
#define NAMES_ne "not_equal", NULL
#define NAMES_lt "less", "Less"
#define NAMES_le "less_equal", "LessOrEqual"
#define NAMES_gt "greater", "Greater"
#define NAMES_ge "greater_equal", "GreaterOrEqual"
#define NAMES_logical_and "logical_and", "And"
#define NAMES_logical_or "logical_or", "Or"
#define NAMES_logical_xor "logical_xor", "Xor"
#define NAMES_select "where", "Where"

#endif
