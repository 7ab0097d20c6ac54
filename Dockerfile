# gansynth in a container, for the CPU: `docker build -t gansynth .`, then
#   docker run --rm -v "$PWD":/data gansynth generate pbc-64 --class promyelocyte --count 100 --out synthetic
# For a GPU build with `--build-arg TORCH_INDEX=` (torch's own default), and run with `--gpus all`.
FROM python:3.12-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /opt/gansynth
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
COPY gansynth gansynth
COPY models models
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} . \
    && useradd --create-home gansynth && mkdir /data && chown gansynth /data
USER gansynth
ENV GANSYNTH_CACHE=/home/gansynth/.cache/gansynth
WORKDIR /data
ENTRYPOINT ["gansynth"]
CMD ["--help"]
