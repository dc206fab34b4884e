"""Records Q, K and V of every attention layer of a Hugging Face model, with masks, biases, scales, soft-caps and sinks.

    pip install torch transformers
    python3 capture.py openai-community/gpt2 "Down, down, down. Would the fall never come to an end?" layers.safetensors
    fusemax run --every-layer --input layers.safetensors

The model computes by its own eager attention; what each layer passes to it is kept, after rotary embeddings and before any
softmax. Takes models of transformers 4.53 and later that call their attention through AttentionInterface.
"""

import sys

import numpy as np
import torch
from layers_file import LayersFile
from transformers import AttentionInterface, AutoModel, AutoTokenizer
from transformers.masking_utils import AttentionMaskInterface, eager_mask

NAME = "recorded"


def array(tensor):
    """bfloat16, which numpy does not have, is exact in float32."""
    tensor = tensor.detach().cpu()
    return tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def parts_of(mask):
    """A boolean mask and a bias of what a model adds to scores: the smallest numbers of its type hide a key."""
    if mask is None:
        return None, None
    mask = array(mask)
    if mask.dtype == np.bool_:
        return mask, None
    seen = mask > np.finfo(mask.dtype).min / 2
    bias = np.where(seen, mask, 0)
    return seen, bias if bias.any() else None


def record(model, file):
    """Has every attention layer of a model that is computed from now on kept, the first time that it is."""
    names = {module: name for name, module in model.named_modules()}
    kept = set()

    def attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **options):
        if module not in kept:
            kept.add(module)
            mask, bias = parts_of(attention_mask)
            sink = options.get("s_aux", getattr(module, "sinks", None))
            file.add(
                *(names[module], array(query), array(key), array(value), mask, bias),
                scale=query.shape[-1] ** -0.5 if scaling is None else scaling,
                softcap=options.get("softcap"),
                sink=None if sink is None else array(sink),
            )
        eager = sys.modules[type(module).__module__].eager_attention_forward
        return eager(module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **options)

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, eager_mask)
    model.set_attn_implementation(NAME)


def main(model_name, text, path):
    tokenizer = AutoTokenizer.from_pretrained(model_name)
    model = AutoModel.from_pretrained(model_name, attn_implementation="eager").eval()
    file = LayersFile()
    record(model, file)
    with torch.no_grad():
        model(**tokenizer(text, return_tensors="pt"))
    file.save(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python3 capture.py MODEL TEXT FILE.safetensors")
    main(*sys.argv[1:])
