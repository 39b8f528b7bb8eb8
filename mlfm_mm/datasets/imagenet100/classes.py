"""The classes of ImageNet-100, by the synsets of WordNet."""

# The choice of the Kaggle set ambityga/imagenet100, which MLFM was trained
# on. Other sets of the same name exist. A label is the rank of its synset.
CLASSES = {
    'n01440764': 'tench, Tinca tinca',
    'n01443537': 'goldfish, Carassius auratus',
    'n01484850': (
        'great white shark, white shark, man-eater, '
        'man-eating shark, Carcharodon carcharias'
    ),
    'n01491361': 'tiger shark, Galeocerdo cuvieri',
    'n01494475': 'hammerhead, hammerhead shark',
    'n01496331': 'electric ray, crampfish, numbfish, torpedo',
    'n01498041': 'stingray',
    'n01514668': 'cock',
    'n01514859': 'hen',
    'n01531178': 'goldfinch, Carduelis carduelis',
    'n01537544': 'indigo bunting, indigo finch, indigo bird, Passerina cyanea',
    'n01560419': 'bulbul',
    'n01582220': 'magpie',
    'n01592084': 'chickadee',
    'n01601694': 'water ouzel, dipper',
    'n01608432': 'kite',
    'n01614925': 'bald eagle, American eagle, Haliaeetus leucocephalus',
    'n01622779': 'great grey owl, great gray owl, Strix nebulosa',
    'n01630670': 'common newt, Triturus vulgaris',
    'n01632458': 'spotted salamander, Ambystoma maculatum',
    'n01632777': 'axolotl, mud puppy, Ambystoma mexicanum',
    'n01644900': (
        'tailed frog, bell toad, ribbed toad, tailed toad, Ascaphus trui'
    ),
    'n01664065': 'loggerhead, loggerhead turtle, Caretta caretta',
    'n01665541': (
        'leatherback turtle, leatherback, leathery turtle, '
        'Dermochelys coriacea'
    ),
    'n01667114': 'mud turtle',
    'n01667778': 'terrapin',
    'n01675722': 'banded gecko',
    'n01677366': 'common iguana, iguana, Iguana iguana',
    'n01685808': 'whiptail, whiptail lizard',
    'n01687978': 'agama',
    'n01693334': 'green lizard, Lacerta viridis',
    'n01695060': (
        'Komodo dragon, Komodo lizard, dragon lizard, '
        'giant lizard, Varanus komodoensis'
    ),
    'n01698640': 'American alligator, Alligator mississipiensis',
    'n01728572': 'thunder snake, worm snake, Carphophis amoenus',
    'n01729322': 'hognose snake, puff adder, sand viper',
    'n01729977': 'green snake, grass snake',
    'n01734418': 'king snake, kingsnake',
    'n01735189': 'garter snake, grass snake',
    'n01739381': 'vine snake',
    'n01740131': 'night snake, Hypsiglena torquata',
    'n01742172': 'boa constrictor, Constrictor constrictor',
    'n01749939': 'green mamba',
    'n01751748': 'sea snake',
    'n01753488': (
        'horned viper, cerastes, sand viper, horned asp, Cerastes cornutus'
    ),
    'n01755581': 'diamondback, diamondback rattlesnake, Crotalus adamanteus',
    'n01756291': 'sidewinder, horned rattlesnake, Crotalus cerastes',
    'n01770081': 'harvestman, daddy longlegs, Phalangium opilio',
    'n01770393': 'scorpion',
    'n01773157': 'black and gold garden spider, Argiope aurantia',
    'n01773549': 'barn spider, Araneus cavaticus',
    'n01773797': 'garden spider, Aranea diademata',
    'n01774384': 'black widow, Latrodectus mactans',
    'n01774750': 'tarantula',
    'n01775062': 'wolf spider, hunting spider',
    'n01776313': 'tick',
    'n01795545': 'black grouse',
    'n01796340': 'ptarmigan',
    'n01798484': 'prairie chicken, prairie grouse, prairie fowl',
    'n01806143': 'peacock',
    'n01818515': 'macaw',
    'n01819313': (
        'sulphur-crested cockatoo, Kakatoe galerita, Cacatua galerita'
    ),
    'n01820546': 'lorikeet',
    'n01824575': 'coucal',
    'n01828970': 'bee eater',
    'n01829413': 'hornbill',
    'n01833805': 'hummingbird',
    'n01843383': 'toucan',
    'n01847000': 'drake',
    'n01855672': 'goose',
    'n01860187': 'black swan, Cygnus atratus',
    'n01877812': 'wallaby, brush kangaroo',
    'n01883070': 'wombat',
    'n01910747': 'jellyfish',
    'n01914609': 'sea anemone, anemone',
    'n01924916': 'flatworm, platyhelminth',
    'n01930112': 'nematode, nematode worm, roundworm',
    'n01943899': 'conch',
    'n01944390': 'snail',
    'n01950731': 'sea slug, nudibranch',
    'n01955084': 'chiton, coat-of-mail shell, sea cradle, polyplacophore',
    'n01968897': 'chambered nautilus, pearly nautilus, nautilus',
    'n01978287': 'Dungeness crab, Cancer magister',
    'n01978455': 'rock crab, Cancer irroratus',
    'n01984695': (
        'spiny lobster, langouste, rock lobster, crawfish, '
        'crayfish, sea crawfish'
    ),
    'n01985128': 'crayfish, crawfish, crawdad, crawdaddy',
    'n01986214': 'hermit crab',
    'n02002556': 'white stork, Ciconia ciconia',
    'n02006656': 'spoonbill',
    'n02007558': 'flamingo',
    'n02011460': 'bittern',
    'n02012849': 'crane',
    'n02013706': 'limpkin, Aramus pictus',
    'n02018207': (
        'American coot, marsh hen, mud hen, water hen, Fulica americana'
    ),
    'n02018795': 'bustard',
    'n02027492': 'red-backed sandpiper, dunlin, Erolia alpina',
    'n02028035': 'redshank, Tringa totanus',
    'n02037110': 'oystercatcher, oyster catcher',
    'n02051845': 'pelican',
    'n02058221': 'albatross, mollymawk',
    'n02077923': 'sea lion',
}
